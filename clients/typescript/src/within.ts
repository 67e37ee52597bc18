import { setTimeout as sleep } from 'node:timers/promises';
import { TimeoutError } from './errors.js';
import { isUnavailable } from './unavailable.js';

/** What a promise comes to, if it does so in time, which may be `Infinity`. What it comes to afterwards is lost. */
export async function within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  if (ms === Number.POSITIVE_INFINITY) return promise;
  let timer: NodeJS.Timeout | undefined;
  let immediate: NodeJS.Immediate | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const expire = () => reject(late());
    // Where the process was busy, the answer may be there, and be read first.
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

/** Whether a promise has settled by then. */
export async function endsWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  const ended = promise.then(
    () => true,
    () => true,
  );
  return within(ms, ended, () => new TimeoutError()).catch(() => false);
}

const FIRST_PAUSE_MS = 20;

/**
 * What Redis answers to a call that may be sent again, as its reply may have been lost. It is sent again where Redis could not be
 * reached, and takes so long in all.
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
