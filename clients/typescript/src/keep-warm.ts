import type { NextMoment, Timing } from './timing.js';

export interface KeepWarmOptions {
  /**
   * How long before users are given a moment its tables are filled, in milliseconds: half of the lag. Upstream has what is left of the lag
   * to commit what the moment is to see.
   */
  leadMs?: number;
  /** Is told what a filling failed with. The screens fill what is missing then. */
  onError?: (error: unknown) => void;
}

/** Tables that are kept warm. */
export interface Warming {
  /** No further moment is begun. What is under way ends by itself. */
  stop(): void;
}

/** The longest delay of a timer. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Has each moment warmed before users are given it. The timer keeps no process alive. */
export function keepWarm(
  timing: Timing,
  warm: (moment: NextMoment) => Promise<unknown>,
  { leadMs = timing.lagMs / 2, onError }: KeepWarmOptions,
): Warming {
  if (!(leadMs > 0 && leadMs <= timing.lagMs)) {
    throw new RangeError(`leadMs takes a time above 0 up to lagMs, ${timing.lagMs} ms, not ${leadMs}`);
  }
  let moment = timing.nextMoment(new Date());
  let timer: NodeJS.Timeout;
  const arm = () => {
    const delay = moment.since.getTime() - leadMs - Date.now();
    timer = setTimeout(wake, Math.min(Math.max(delay, 0), MAX_DELAY_MS)).unref();
  };
  const wake = () => {
    const now = Date.now();
    // A timer may be early, and the clock be set.
    if (now >= moment.since.getTime()) moment = timing.nextMoment(new Date(now));
    if (now >= moment.since.getTime() - leadMs) {
      warm(moment).catch((error) => onError?.(error));
      moment = timing.nextMoment(moment.since);
    }
    arm();
  };
  arm();
  return { stop: () => clearTimeout(timer) };
}
