/**
 * Why the server refused a command.
 *
 * - `call`: the arguments are wrong; the message names the one at fault and what it should have been
 * - `toggle`: the `PRICEPLAN` toggle holds an invalid value
 * - `type`: the key holds a value of another type (`WRONGTYPE`)
 * - `access`: the user may not call the command or touch the key (`NOPERM`, `NOAUTH`)
 * - `module`: the server does not know the command, or an option that this client needs: the module is not loaded or is too old
 * - `full`: the server has no memory left for a write (`OOM`)
 * - `role`: the server can't do it in its current state: a replica asked to write, a primary without replicas, or a server that
 *   is loading, busy or cut off (`READONLY`, `NOREPLICAS`, `LOADING`, `BUSY`, `MASTERDOWN`, `CLUSTERDOWN`, `TRYAGAIN`, `MISCONF`,
 *   `UNBLOCKED`)
 * - `other`: anything else
 */
export type Reason = 'call' | 'toggle' | 'type' | 'access' | 'module' | 'full' | 'role' | 'other';

/** An error that the server returned. If the server can't be reached, you get the driver's own error instead. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  /** Why the server refused. */
  readonly reason: Reason;
  /** The first word of the server's message: `ERR`, `WRONGTYPE`, `NOPERM` and so on. */
  readonly code: string;

  constructor(
    message: string,
    /** The command that was refused. */
    readonly command: string,
    /** The driver's own error. */
    cause?: unknown,
  ) {
    super(message, { cause });
    this.code = /^[A-Z]+/.exec(message)?.[0] ?? '';
    this.reason = reasonOf(this.code, message);
  }
}

/** Something did not answer in time. If it was Redis, `isUnavailable` returns true for this error. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

const REASONS: Readonly<Record<string, Reason>> = {
  WRONGTYPE: 'type',
  NOPERM: 'access',
  NOAUTH: 'access',
  OOM: 'full',
  READONLY: 'role',
  NOREPLICAS: 'role',
  LOADING: 'role',
  MASTERDOWN: 'role',
  CLUSTERDOWN: 'role',
  TRYAGAIN: 'role',
  BUSY: 'role',
  MISCONF: 'role',
  UNBLOCKED: 'role',
};

/**
 * The errors of an older module, which does not know the forms in which this client sends and reads many rows. A newer one takes
 * every number of arguments that `mset` sends.
 */
const OLDER =
  /^ERR (syntax error, (unknown option )?'(LIST|COLUMNS|JSON|TOKEN|PERSIST)' |wrong number of arguments for 'vehprice\.mset')/;

/** Mistakes in a call, in the words of the server and of the module. */
const CALL = /^ERR (syntax error|invalid|value is not|timeout is|too many|too much|the reply would be|wrong number of arg)/;

function reasonOf(code: string, message: string): Reason {
  if (code !== 'ERR') return REASONS[code] ?? 'other';
  if (/^ERR unknown command/.test(message) || OLDER.test(message)) return 'module';
  if (/^ERR invalid value '.*' in the toggle/.test(message)) return 'toggle';
  return CALL.test(message) ? 'call' : 'other';
}

/** The driver's error as a `ServerError` if the server returned it, otherwise unchanged. */
export function serverError(error: unknown, command: string): unknown {
  if (!(error instanceof Error)) return error;
  const message = error.constructor.name === 'RequestError' ? messageOfGlide(error.message) : isReply(error) && error.message;
  if (!message) return error;
  const advice = OLDER.test(message) ? ': the module on the server is older than this client and must be upgraded' : '';
  return new ServerError(message + advice, command, error);
}

/** Whether an error has the driver's class for errors that a server answers: `ReplyError` or `ErrorReply`. */
function isReply(error: Error): boolean {
  for (let at: unknown = Object.getPrototypeOf(error); at instanceof Error; at = Object.getPrototypeOf(at)) {
    if (at.constructor.name === 'ReplyError' || at.constructor.name === 'ErrorReply') return true;
  }
  return false;
}

/** What GLIDE calls the errors that it knows. Those that it does not, it leaves their code. */
const CODES_OF_GLIDE: Readonly<Record<string, string>> = {
  ResponseError: 'ERR',
  BusyLoadingError: 'LOADING',
  MasterDown: 'MASTERDOWN',
  ReadOnly: 'READONLY',
  ClusterDown: 'CLUSTERDOWN',
  TryAgain: 'TRYAGAIN',
  Moved: 'MOVED',
  Ask: 'ASK',
  CrossSlot: 'CROSSSLOT',
  PermissionDenied: 'NOPERM',
};

/**
 * The server's message, or undefined if it isn't the server's. GLIDE passes it on as `WRONGTYPE: …`, or as
 * `…: - ResponseError: …`.
 */
function messageOfGlide(message: string): string | undefined {
  const [, kind = '', text] = /^(?:An error was signalled by the server: - )?([A-Z][A-Za-z]*): (.*)$/s.exec(message) ?? [];
  const code = CODES_OF_GLIDE[kind] ?? (/^[A-Z]+$/.test(kind) ? kind : undefined);
  return code && `${code} ${text?.trimEnd()}`;
}
