import type { Redis } from 'ioredis';
import { type Lock, LockedQuoteInfo, PricePlan, type Timing } from 'quotelock';

import type { PlanRule, Pricing } from '../upstream/book.js';
import { RedisRents } from './rents.js';
import { type Ask, type Locks, type Moment, type Store, TOGGLE, type Tags, type Verdict } from './store.js';

/**
 * What services do without the module, for comparison: the lock by GET, checked by the pod's own clock, and SET; tags in a hash
 * per vehicle, whatever `queryTime` they were fetched for; rules fetched for each screen. The toggle is the module's here too.
 */
export class TodayStore implements Store {
  readonly locks: Locks;
  readonly plans: PricePlan;
  readonly rents: RedisRents;
  /** It can't go on without Redis: the screen fails. */
  readonly outage = { run: <T>(redis: () => Promise<T>) => redis() };
  readonly #redis: Redis;

  constructor(
    redis: Redis,
    readonly timing: Timing,
    /** How long a vehicle's tags are kept. */
    readonly tagsMs: number,
    now: () => number,
  ) {
    this.#redis = redis;
    this.locks = new TodayLocks(redis, timing, now);
    this.plans = new PricePlan(redis, TOGGLE);
    this.rents = new RedisRents(redis);
  }

  async tags(_moment: Moment, _rentFlow: string, ids: string[], ask: Ask<Tags>): Promise<Map<string, Tags>> {
    const found = await this.#read(ids);
    const missing = ids.filter((id) => !found.has(id));
    if (missing.length === 0) return found;
    const asked = await ask(missing);
    await this.#write(asked);
    return new Map([...found, ...asked]);
  }

  rules(_moment: Moment, _pricing: Pricing, ids: string[], ask: Ask<PlanRule[]>): Promise<Map<string, PlanRule[]>> {
    return ask(ids);
  }

  /** What was shown is not kept. */
  async verdict(): Promise<Verdict> {
    return 'Match';
  }

  async #read(ids: string[]): Promise<Map<string, Tags>> {
    const pipeline = this.#redis.pipeline();
    for (const id of ids) pipeline.hgetall(key(id));
    const found = new Map<string, Tags>();
    for (const [at, [error, reply]] of ((await pipeline.exec()) ?? []).entries()) {
      if (error) throw error;
      const { styleId, pricingId } = reply as Partial<Tags>;
      if (styleId !== undefined && pricingId !== undefined) found.set(ids[at] as string, { styleId, pricingId });
    }
    return found;
  }

  async #write(rows: Map<string, Tags>): Promise<void> {
    const pipeline = this.#redis.pipeline();
    for (const [id, { styleId, pricingId }] of rows) {
      pipeline.hset(key(id), { styleId, pricingId }).pexpire(key(id), this.tagsMs);
    }
    for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
  }
}

function key(id: string): string {
  return `hermes:scooters:styleAndPrice:${id}`;
}

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
