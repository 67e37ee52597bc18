/** Refuses a call that would wait longer than the driver's time-out. `blockMs` of 0 means no limit. */
export function refuseIfCutOff(command: string, blockMs: number | undefined, option: string, timeoutMs: unknown): void {
  const cutOffMs = cutOffOf(timeoutMs);
  // The server refuses an invalid time.
  if (blockMs === undefined || !(blockMs >= 0) || cutOffMs === undefined) return;
  if (blockMs > 0 && blockMs < cutOffMs) return;
  const wait = blockMs === 0 ? 'without limit' : `for ${blockMs} ms`;
  throw new RangeError(
    `${command} is to wait ${wait}, but the driver's ${option} is ${cutOffMs} ms: it takes a client with a longer one`,
  );
}

/** A driver's time-out, if it has one. */
export function cutOffOf(timeoutMs: unknown): number | undefined {
  return typeof timeoutMs === 'number' && timeoutMs > 0 ? timeoutMs : undefined;
}

/** The prefix as a text. */
export function prefixOf(keyPrefix: unknown): string {
  if (keyPrefix === undefined || keyPrefix === null) return '';
  if (typeof keyPrefix === 'string') return keyPrefix;
  throw new TypeError('the keyPrefix of a driver has to be a string');
}
