import type { Mode, PodStats } from '../api/pod.js';
import type { Pod } from '../launch/pods.js';

export type Totals = Record<Mode, PodStats>;

/** The sums over all pods since the demo started, those that were killed as well. */
export class Traffic {
  /** What each pod last reported, by port: a restarted pod has another port, and counts from 0. */
  readonly #last = new Map<number, Totals>();

  constructor(readonly pods: readonly Pod[]) {}

  async totals(): Promise<Totals> {
    await Promise.all(this.pods.map(({ port }) => port && this.#ask(port).catch(() => undefined)));
    return { today: this.#sum('today'), quotelock: this.#sum('quotelock') };
  }

  async #ask(port: number): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${port}/stats`);
    this.#last.set(port, (await response.json()) as Totals);
  }

  #sum(mode: Mode): PodStats {
    const sum = { screens: 0, upstreamCalls: 0, redisBytes: 0 };
    for (const { [mode]: stats } of this.#last.values()) {
      sum.screens += stats.screens;
      sum.upstreamCalls += stats.upstreamCalls;
      sum.redisBytes += stats.redisBytes;
    }
    return sum;
  }
}
