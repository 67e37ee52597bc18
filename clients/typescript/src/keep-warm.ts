import type { NextMoment, Timing } from './timing.js';

export interface KeepWarmOptions {
  /**
   * How long before users are on a moment its tables are filled, in milliseconds: half of the lag. Upstream has what is left of the lag
   * to commit what the moment is to see.
   */
  leadMs?: number;
  /** Called with the error if a filling fails, or if the server's clock can't be read any more. The screens then fill what is missing. */
  onError?: (error: unknown) => void;
}

/** Tables that are kept warm. */
export interface Warming {
  /** No further moment is begun. What is under way ends by itself. */
  stop(): void;
}

/** After how long the server's clock is looked at again: it may have been set. */
const LOOK_MS = 60_000;

/** The pause after the clock could not be had. */
const PAUSE_MS = 1000;

/**
 * Has each moment warmed before users are on it, by the server's clock, as the moments are: a pod whose own is ahead would ask
 * upstream for a moment that is not over. The timer keeps no process alive.
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
  let begun: string | undefined;

  const tell = (error: unknown) => {
    try {
      onError?.(error);
    } catch {
      // What the hook throws is lost, so that it ends no process.
    }
  };
  const arm = (delayMs: number) => {
    if (!isStopped) timer = setTimeout(wake, Math.min(Math.max(delayMs, 0), LOOK_MS)).unref();
  };
  /** Begins what is due, and says in how long something is. */
  const begin = (now: number): number => {
    let moment = timing.nextMoment(new Date(now));
    if (moment.queryTime !== begun && now >= moment.since.getTime() - leadMs) {
      begun = moment.queryTime;
      warm(moment).catch(tell);
    }
    if (moment.queryTime === begun) moment = timing.nextMoment(moment.since);
    return moment.since.getTime() - leadMs - now;
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
