import { ServerError, TimeoutError, serverError } from './errors.js';

/** The system's error codes for a connection. */
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

/** The drivers' error classes for an unavailable server. */
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

/** The messages of ioredis and iovalkey for it, in errors without a class of their own. */
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
 * Whether the server can't be reached or can't serve any call right now: the connection was refused, closed or lost, no reply
 * came in time, or the server is loading, cut off, full or about to change its role. The same call may succeed later; until then
 * a service can go on without it. Also recognizes such an error as the `cause` of an error that wraps it.
 */
export function isUnavailable(error: unknown): boolean {
  // Causes may form a cycle.
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
