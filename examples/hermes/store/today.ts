import type { Redis } from 'ioredis';
import { type Lock, LockedQuoteInfo, PricePlan } from 'quotelock';

import type { PlanRule } from '../upstream/book.js';
import { RedisRents } from './rents.js';
import type { Locks, Store, Table, Tags } from './store.js';
import type { Timing } from './timing.js';

const TOGGLE = 'hermes:pricingReleaseToggle';

/**
 * As services do without the module, to compare: the lock by GET, by what the pod's own clock says, and SET; tags in a hash a
 * vehicle, whatever moment they were asked for; rules asked at each screen. The toggle is the module's here too.
 */
export class TodayStore implements Store {
  readonly locks: Locks;
  readonly plans: PricePlan;
  readonly rents: RedisRents;
  readonly #redis: Redis;

  constructor(
    redis: Redis,
    timing: Timing,
    /** How long a vehicle's tags are kept. */
    readonly tagsMs: number,
    now: () => number,
  ) {
    this.#redis = redis;
    this.locks = new TodayLocks(redis, timing, now);
    this.plans = new PricePlan(redis, TOGGLE);
    this.rents = new RedisRents(redis);
  }

  tags(): Table<Tags> {
    const key = (id: string) => `hermes:scooters:styleAndPrice:${id}`;
    const claim = async (ids: string[]) => {
      const pipeline = this.#redis.pipeline();
      for (const id of ids) pipeline.hgetall(key(id));
      const replies = (await pipeline.exec()) ?? [];
      const found = new Map<string, Tags>();
      replies.forEach(([error, reply], at) => {
        if (error) throw error;
        const { styleId, pricingId } = reply as Partial<Tags>;
        if (styleId !== undefined && pricingId !== undefined) found.set(ids[at] as string, { styleId, pricingId });
      });
      return { found, claimed: ids.filter((id) => !found.has(id)), pending: [] };
    };
    const set = async (rows: Map<string, Tags>) => {
      const pipeline = this.#redis.pipeline();
      for (const [id, { styleId, pricingId }] of rows) {
        pipeline.hset(key(id), { styleId, pricingId }).pexpire(key(id), this.tagsMs);
      }
      for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
      return rows;
    };
    return { ...EACH_FOR_ITSELF, claim, set };
  }

  rules(): Table<PlanRule[]> {
    return {
      ...EACH_FOR_ITSELF,
      claim: async (claimed) => ({ found: new Map(), claimed, pending: [] }),
      set: async (rows) => rows,
    };
  }
}

/** There are no claims, so no pod waits for another. */
const EACH_FOR_ITSELF = { release: async () => undefined, wait: async () => new Map<string, never>() };

class TodayLocks implements Locks {
  constructor(
    readonly redis: Redis,
    readonly timing: Timing,
    readonly now: () => number,
  ) {}

  async getById(user: string): Promise<Lock | undefined> {
    const stored = await this.redis.get(LockedQuoteInfo.key(user));
    if (stored === null) return undefined;
    const { roleIds, queryTime } = JSON.parse(stored) as Lock;
    const age = Math.trunc((this.now() - Date.parse(queryTime)) / 1000);
    const closing = age > (this.timing.ttlMs - this.timing.bufferMs) / 1000;
    return { roleIds, queryTime, state: closing ? 'CloseToExpired' : 'Effective' };
  }

  async acquire(user: string, roleIds: string[], { ifMissing }: { ifMissing: boolean }): Promise<Lock> {
    const held = await this.getById(user);
    if (held && (ifMissing || held.state === 'Effective')) return held;
    const queryTime = new Date(this.now()).toISOString();
    await this.redis.set(LockedQuoteInfo.key(user), JSON.stringify({ roleIds, queryTime }), 'PX', this.timing.ttlMs);
    return { roleIds, queryTime, state: 'Effective' };
  }
}
