import { setTimeout as sleep } from 'node:timers/promises';
import { TimeoutError } from './errors.js';
import { isUnavailable } from './unavailable.js';

/** A timer set for longer, some 25 days, ends at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The result of a promise, if it settles within `ms`, which may be `Infinity`. A later result is ignored. */
export async function within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  if (ms > LONGEST_TIMER_MS) return promise;
  let timer: NodeJS.Timeout | undefined;
  let immediate: NodeJS.Immediate | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const expire = () => reject(late());
    // If the process was busy, the reply may have arrived: read it first.
    timer = setTimeout(
      () => {
        immediate = setImmediate(expire);
      },
      Math.max(0, ms),
    );
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
    clearImmediate(immediate);
  }
}

/** Whether a promise settles in time. */
export async function endsWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  const ended = promise.then(
    () => true,
    () => true,
  );
  return within(ms, ended, () => new TimeoutError()).catch(() => false);
}

const FIRST_PAUSE_MS = 20;

/**
 * Redis's reply to a call that is safe to repeat. The call is repeated while Redis can't be reached, for up to this time in all.
 */
export async function answered<T>(ms: number, call: () => Promise<T>): Promise<T> {
  const until = performance.now() + ms;
  for (let pause = FIRST_PAUSE_MS; ; pause *= 2) {
    try {
      return await within(until - performance.now(), call(), () => new TimeoutError(`Redis did not answer within ${ms} ms`));
    } catch (error) {
      if (!isUnavailable(error) || performance.now() + pause >= until) throw error;
    }
    await sleep(pause);
  }
}
