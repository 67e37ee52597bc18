import type { Lock, Store } from '../store/store.js';
import type { PlanRule, Pricing } from '../upstream/book.js';
import type { UpstreamClient } from '../upstream/client.js';
import { rowsOf } from './fill.js';
import { offer, outgoing } from './plans.js';

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

/** Prices of one moment, for the roles of one lock. */
export interface Quote {
  queryTime: string;
  roleIds: string[];
  state: Lock['state'];
  /** These are other prices than those that were seen. */
  newQuote: boolean;
  pricing: Pricing;
  scooters: Scooter[];
  /** By pricing id. */
  prices: Record<string, PlanRule[]>;
}

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
    const { queryTime, roleIds, state } = lock;
    const movedOn = seen.queryTime !== undefined && seen.queryTime !== queryTime;
    const { pricing, retired } = await offer(this.store.plans, movedOn ? undefined : seen.planId);
    const scooters = await this.#scooters(queryTime, vehicleIds);
    const prices = await this.#prices(lock, pricing, scooters);
    return { queryTime, roleIds, state, newQuote: movedOn || retired, pricing, scooters, prices };
  }

  async #lock(user: User, need: Need): Promise<Lock | undefined> {
    if (need === 'read') return this.store.locks.get(user.id);
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

  async #prices({ queryTime, roleIds }: Lock, pricing: Pricing, scooters: Scooter[]): Promise<Quote['prices']> {
    const pricingIds = [...new Set(scooters.flatMap(({ pricingId }) => pricingId ?? []))].sort();
    const table = this.store.rules({ queryTime, roleIds, pricing });
    const rules = await rowsOf(table, pricingIds, (ids) => this.upstream.rules(pricing, ids, roleIds, queryTime));
    return Object.fromEntries([...rules].map(([id, plans]) => [id, outgoing(plans, pricing)]));
  }
}
