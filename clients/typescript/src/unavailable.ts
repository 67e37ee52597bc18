import { ServerError, TimeoutError, serverError } from './errors.js';

/** What the system says of a connection. */
const CODES: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT', // a socket's file
]);

/** The drivers' own classes for it. */
const CLASSES: ReadonlySet<string> = new Set([
  // ioredis, iovalkey
  'AbortError',
  'ClusterAllFailedError',
  'MaxRetriesPerRequestError',
  // node-redis
  'ClientClosedError',
  'ClientOfflineError',
  'ConnectionTimeoutError',
  'DisconnectsClientError',
  'ReconnectStrategyError',
  'RootNodesUnavailableError',
  'SocketClosedUnexpectedlyError',
  'SocketTimeoutError',
  'TimeoutError',
  'CommandTimeoutDuringMaintenanceError',
  'SocketTimeoutDuringMaintenanceError',
  // GLIDE, with TimeoutError
  'CircuitBreakerError',
  'ClosingError',
  'ConnectionError',
]);

/** What drivers say of it in an error of no class of its own: ioredis and iovalkey. */
const MESSAGES: readonly RegExp[] = [
  /^Connection is closed\.$/,
  /^Command timed out$/,
  /^connect ETIMEDOUT$/,
  /^Socket timeout\. /,
  /enableOfflineQueue options is false$/,
  /^None of startup nodes is available$/,
  /^Cluster is (ended|disconnected|disconnecting)\.$/,
  /^Too many Cluster redirections\./,
  /^All sentinels are unreachable/,
];

/**
 * Whether the server can't be reached, or can't do it now, whatever it is asked: the connection was refused, is closed or was lost, no
 * answer came in time, the server is loading, cut off, full or about to change its role. The same call may succeed later, and
 * until then a service can go on without it. An error that the service has wrapped, with the one it had as `cause`, counts as that.
 */
export function isUnavailable(error: unknown): boolean {
  // A cause may be a circle.
  const seen = new Set<unknown>();
  for (let at = error; at instanceof Error && !seen.has(at); at = at.cause) {
    seen.add(at);
    const refused = serverError(at, '');
    if (refused instanceof ServerError) return refused.reason === 'role' || refused.reason === 'full';
    if (at instanceof TimeoutError || saysSo(at)) return true;
    if (at instanceof AggregateError && at.errors.length > 0 && at.errors.every(isUnavailable)) return true;
  }
  return false;
}

function saysSo(error: Error): boolean {
  return (
    CODES.has((error as NodeJS.ErrnoException).code) ||
    CLASSES.has(error.constructor.name) ||
    MESSAGES.some((message) => message.test(error.message))
  );
}
