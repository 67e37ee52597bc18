import type { NextMoment, Timing } from './timing.js';

export interface KeepWarmOptions {
  /**
   * How long before new locks use a `queryTime` its tables are filled, in milliseconds (default: half of the lag). Upstream has
   * the rest of the lag to commit the prices for that `queryTime`.
   */
  leadMs?: number;
  /**
   * Called with the error if filling fails, or if the server's clock can't be read any more. The screens then fill the missing
   * rows.
   */
  onError?: (error: unknown) => void;
}

/** Tables that are kept warm. */
export interface Warming {
  /** Starts no further filling. One under way runs to its end. */
  stop(): void;
}

/** How often the server's clock is read again: it may have been set. */
const LOOK_MS = 60_000;

/** The pause after the clock could not be read. */
const PAUSE_MS = 1000;

/**
 * Warms each `queryTime` before new locks use it. It uses the server's clock, as locks do: a pod with a fast clock would ask
 * upstream for a `queryTime` still in the future. The timer does not keep the process alive.
 */
export function keepWarm(
  timing: Timing,
  clock: () => Promise<number>,
  warm: (moment: NextMoment) => Promise<unknown>,
  { leadMs = timing.lagMs / 2, onError }: KeepWarmOptions,
): Warming {
  if (!(leadMs > 0 && leadMs <= timing.lagMs)) {
    throw new RangeError(`leadMs takes a time above 0 up to lagMs, ${timing.lagMs} ms, not ${leadMs}`);
  }
  let timer: NodeJS.Timeout;
  let isStopped = false;
  let hasClock = true;
  /** From when on locks use the last `queryTime` that was begun. */
  let begun = 0;

  const tell = (error: unknown) => {
    try {
      onError?.(error);
    } catch {
      // Errors thrown by the hook are ignored, so that they don't end the process.
    }
  };
  const arm = (delayMs: number) => {
    if (!isStopped) timer = setTimeout(wake, Math.min(Math.max(delayMs, 0), LOOK_MS)).unref();
  };
  /** Starts what is due, and returns the time until the next one. */
  const begin = (now: number): number => {
    // From when on locks use the first `queryTime` that is not due yet.
    const end = timing.nextMoment(new Date(now + leadMs)).since.getTime();
    // The server's clock was set back.
    if (begun >= end) begun = 0;
    let moment = timing.nextMoment(new Date(Math.max(now, begun)));
    while (moment.since.getTime() < end) {
      begun = moment.since.getTime();
      warm(moment).catch(tell);
      moment = timing.nextMoment(moment.since);
    }
    return end - leadMs - now;
  };
  const wake = async () => {
    try {
      const now = await clock();
      hasClock = true;
      if (!isStopped) arm(begin(now));
    } catch (error) {
      if (hasClock) tell(error);
      hasClock = false;
      arm(PAUSE_MS);
    }
  };
  arm(0);
  return {
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
