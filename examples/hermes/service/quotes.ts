import type { Lock } from 'quotelock';

import type { Reservation, Store } from '../store/store.js';
import type { PlanRule, Pricing } from '../upstream/book.js';
import type { UpstreamClient } from '../upstream/client.js';
import { rowsOf } from './fill.js';
import { type Offer, offer, outgoing } from './plans.js';

/** What a screen may do to the lock: renew a closing one, start one where there is none, or only read. */
export type Need = 'renew' | 'start' | 'read';

export interface User {
  id: string;
  roleIds: string[];
}

/** What the app shows and sends back: nothing at the first screen, or from an app that does not know it yet. */
export interface Seen {
  queryTime?: string | undefined;
  planId?: string | undefined;
}

export interface Scooter {
  id: string;
  styleId: string;
  /** Null if it has no price yet: it is shown, and can't be reserved. */
  pricingId: string | null;
}

/** Prices of one moment, for these roles. */
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
  /** These are other prices than those that were seen. */
  newQuote: boolean;
}

type Moment = Pick<Lock, 'queryTime' | 'roleIds'>;

/** Prices for all screens alike. */
export class Quotes {
  constructor(
    readonly store: Store,
    readonly upstream: UpstreamClient,
    readonly rentFlow: string,
  ) {}

  /** Undefined if there is no lock and none may be started. */
  async quote(user: User, vehicleIds: string[], need: Need, seen: Seen): Promise<Quote | undefined> {
    const lock = await this.#lock(user, need);
    if (!lock) return undefined;
    const movedOn = seen.queryTime !== undefined && seen.queryTime !== lock.queryTime;
    const offered = await offer(this.store.plans, seen.planId, movedOn);
    const prices = await this.#prices(lock, vehicleIds, offered);
    return { ...prices, state: lock.state, newQuote: movedOn || offered.retired };
  }

  /** What a rent was reserved by, as upstream knows it still: by its own moment and roles. */
  async pricesOf(reservation: Reservation): Promise<Prices> {
    const offered = await offer(this.store.plans, reservation.planId, false);
    return this.#prices(reservation, [reservation.vehicleId], offered);
  }

  async #prices({ queryTime, roleIds }: Moment, vehicleIds: string[], { pricing, planId }: Offer): Promise<Prices> {
    const scooters = await this.#scooters(queryTime, vehicleIds);
    const prices = await this.#rules({ queryTime, roleIds }, pricing, scooters);
    return { queryTime, roleIds, pricing, planId, scooters, prices };
  }

  async #lock(user: User, need: Need): Promise<Lock | undefined> {
    if (need === 'read') return this.store.locks.getById(user.id);
    return this.store.locks.acquire(user.id, user.roleIds, { ifMissing: need === 'start' });
  }

  async #scooters(queryTime: string, vehicleIds: string[]): Promise<Scooter[]> {
    const table = this.store.tags({ queryTime, rentFlow: this.rentFlow });
    const tags = await rowsOf(table, vehicleIds, (ids) => this.upstream.tags(ids, this.rentFlow, queryTime));
    return vehicleIds.flatMap((id) => {
      const row = tags.get(id);
      return row ? [{ id, styleId: row.styleId, pricingId: row.pricingId || null }] : [];
    });
  }

  async #rules({ queryTime, roleIds }: Moment, pricing: Pricing, scooters: Scooter[]): Promise<Prices['prices']> {
    const pricingIds = [...new Set(scooters.flatMap(({ pricingId }) => pricingId ?? []))].sort();
    const table = this.store.rules({ queryTime, roleIds, pricing });
    const rules = await rowsOf(table, pricingIds, (ids) => this.upstream.rules(pricing, ids, roleIds, queryTime));
    return Object.fromEntries([...rules].map(([id, plans]) => [id, outgoing(pricing, plans)]));
  }
}
