import { setTimeout as sleep } from 'node:timers/promises';

import type { Redis } from 'ioredis';

import type { Pod, UpstreamProcess } from '../launch/pods.js';
import type { RedisServer } from '../launch/redis.js';
import { end } from '../launch/stage.js';
import { TOGGLE } from '../store/store.js';
import type { RunOptions } from './options.js';

const RESTART_MS = 500;
const OUTAGE = { failShare: 0.8, ms: 1500 };

/** What goes wrong while the journeys run. */
export class Trouble {
  killedPods = 0;
  failoverMs: number | undefined;
  #over = false;

  constructor(
    readonly options: RunOptions,
    readonly pods: readonly Pod[],
    readonly upstream: UpstreamProcess,
    readonly primary: RedisServer,
    /** Follows the primary. */
    readonly redis: Redis,
  ) {}

  /** All of it, at its share of the run. */
  async make(): Promise<void> {
    const { seconds, faults } = this.options;
    const at = async (share: number, what: () => Promise<unknown>) => {
      await sleep(share * seconds * 1000);
      await what();
    };
    const toggle = (mode: string) => () => this.redis.set(TOGGLE, mode);
    const outage = async () => {
      this.upstream.setFaults({ ...faults, failShare: OUTAGE.failShare });
      await sleep(OUTAGE.ms);
      this.upstream.setFaults(faults);
    };
    const all = [
      at(0.2, toggle('3')),
      at(0.3, outage),
      at(0.4, toggle('2')),
      at(0.6, () => this.#failOver()),
      at(0.8, toggle('4')),
    ];
    const kills = this.#killPods();
    await Promise.all(all);
    this.#over = true;
    await kills;
  }

  async #killPods(): Promise<void> {
    while (!this.#over) {
      await sleep(this.options.killEveryMs);
      const pod = this.pods[Math.floor(Math.random() * this.pods.length)];
      await pod?.kill();
      this.killedPods += 1;
      await sleep(RESTART_MS);
      await pod?.start();
    }
  }

  /** Kills the primary. The failover is complete when the next primary accepts a write. */
  async #failOver(): Promise<void> {
    const since = Date.now();
    await end(this.primary.child, 'SIGKILL');
    await this.redis.set('hermes:failover', 'over');
    this.failoverMs = Date.now() - since;
  }
}
