import type { Lock } from 'quotelock';

import type { Ask, Moment, Reservation, Store, Tags, Verdict } from '../store/store.js';
import type { PlanRule, Pricing } from '../upstream/book.js';
import type { UpstreamClient } from '../upstream/client.js';
import { type Offer, Plans, outgoing } from './plans.js';

/** What a screen does to the lock: renew one that is `CloseToExpired`, or only create one if there is none. */
export type Need = 'renew' | 'start';

export interface User {
  id: string;
  roleIds: string[];
}

/** What the app shows and sends back: nothing on the first screen, or from an app that does not support it yet. */
export interface Seen {
  queryTime?: string | undefined;
  planId?: string | undefined;
  pricingId?: string | undefined;
}

export interface Scooter {
  id: string;
  styleId: string;
  /** Null if it has no price yet: it is shown, and can't be reserved. */
  pricingId: string | null;
}

/** Prices for one `queryTime` and these roles. */
export interface Prices {
  queryTime: string;
  roleIds: string[];
  pricing: Pricing;
  /** The plan that came back, as this pricing calls it. */
  planId: string | undefined;
  scooters: Scooter[];
  /** By pricing id. */
  prices: Record<string, PlanRule[]>;
}

/** Prices under a lock. */
export interface Quote extends Prices {
  state: Lock['state'];
  /** Redis is down: these prices are not locked. */
  unlocked: boolean;
  /** These prices differ from those the user saw. */
  newQuote: boolean;
}

/** The number of sets of roles for which tables are kept warm. */
const MAX_LATELY = 100;

/** Prices for all screens. */
export class Quotes {
  readonly #plans: Plans;
  /** The roles whose rules were shown recently, the latest last. */
  readonly #lately = new Map<string, Pick<Prices, 'roleIds' | 'pricing'>>();

  constructor(
    readonly store: Store,
    readonly upstream: UpstreamClient,
    readonly rentFlow: string,
  ) {
    this.#plans = new Plans(store);
  }

  /**
   * Creates a lock if there is none, and renews one that is `CloseToExpired` if allowed. While Redis is down, goes on without
   * one.
   */
  async quote(user: User, vehicleIds: string[], need: Need, seen: Seen): Promise<Quote> {
    const { locks, outage, timing } = this.store;
    const lock = await outage.run(
      () => locks.acquire(user.id, user.roleIds, { ifMissing: need === 'start' }),
      () => timing.unlocked(user.roleIds, { seen: seen.queryTime }),
    );
    return this.quoteUnder(lock, vehicleIds, seen);
  }

  async quoteUnder(lock: Lock & Moment, vehicleIds: string[], seen: Seen): Promise<Quote> {
    const movedOn = seen.queryTime !== undefined && seen.queryTime !== lock.queryTime;
    const offered = await this.#plans.offer(seen.planId, movedOn);
    const prices = await this.#prices(lock, vehicleIds, offered);
    this.#note(prices);
    return { ...prices, state: lock.state, unlocked: lock.unlocked ?? false, newQuote: movedOn || offered.retired };
  }

  /** Fills the tables of a `queryTime` for maps of these vehicles, and for the recent roles. */
  async warm({ queryTime }: Pick<Moment, 'queryTime'>, vehicleIds: string[]): Promise<void> {
    const scooters = await this.#scooters({ queryTime, roleIds: [] }, vehicleIds);
    const lately = [...this.#lately.values()];
    await Promise.all(lately.map(({ roleIds, pricing }) => this.#rules({ queryTime, roleIds }, pricing, scooters)));
  }

  /** What a rent was reserved at, as upstream still knows it: for its own `queryTime`, whose tables have expired, and roles. */
  async pricesOf({ queryTime, roleIds, vehicleId, planId }: Reservation): Promise<Prices> {
    const offered = await this.#plans.offer(planId, false);
    return this.#prices({ queryTime, roleIds, unlocked: true }, [vehicleId], offered);
  }

  /**
   * Whether a vehicle has what its user saw. For an app that does not send this, only the `queryTime` of its quote is compared.
   */
  async verdict(lock: Lock, vehicleId: string, { queryTime, pricingId }: Seen): Promise<Verdict> {
    if (queryTime === undefined || pricingId === undefined) return 'Match';
    return this.store.verdict(lock, this.rentFlow, vehicleId, { queryTime, row: { pricingId } }, this.#askTags(lock));
  }

  async #prices(moment: Moment, vehicleIds: string[], { pricing, planId }: Offer): Promise<Prices> {
    const { queryTime, roleIds } = moment;
    const scooters = await this.#scooters(moment, vehicleIds);
    const prices = await this.#rules(moment, pricing, scooters);
    return { queryTime, roleIds, pricing, planId, scooters, prices };
  }

  async #scooters(moment: Moment, vehicleIds: string[]): Promise<Scooter[]> {
    const tags = await this.store.tags(moment, this.rentFlow, vehicleIds, this.#askTags(moment));
    return vehicleIds.flatMap((id) => {
      const row = tags.get(id);
      return row ? [{ id, styleId: row.styleId, pricingId: row.pricingId || null }] : [];
    });
  }

  async #rules(moment: Moment, pricing: Pricing, scooters: Scooter[]): Promise<Prices['prices']> {
    const pricingIds = [...new Set(scooters.flatMap(({ pricingId }) => pricingId ?? []))].sort();
    const { queryTime, roleIds } = moment;
    const ask = (ids: string[]) => this.upstream.rules(pricing, ids, roleIds, queryTime);
    const rules = await this.store.rules(moment, pricing, pricingIds, ask);
    return Object.fromEntries([...rules].map(([id, plans]) => [id, outgoing(pricing, plans)]));
  }

  #note({ roleIds, pricing }: Prices): void {
    const name = [...roleIds, pricing].join();
    this.#lately.delete(name);
    this.#lately.set(name, { roleIds, pricing });
    const [oldest] = this.#lately.keys();
    if (oldest !== undefined && this.#lately.size > MAX_LATELY) this.#lately.delete(oldest);
  }

  #askTags({ queryTime }: Moment): Ask<Tags> {
    return (ids) => this.upstream.tags(ids, this.rentFlow, queryTime);
  }
}
