import { PricePlan, type Route } from 'quotelock';

import type { Store } from '../store/store.js';
import type { PlanRule, Pricing } from '../upstream/book.js';

/** The tag at the end of old pricing's ids. */
const OLD = '_old';

/** Which plan of new pricing replaced one of old pricing. Any other kept its id. */
const REPLACED: readonly [oldId: string, newId: string][] = [['572', '580']];
const IDS: Record<Pricing, ReadonlyMap<string, string>> = {
  Core: new Map(REPLACED),
  Legacy: new Map(REPLACED.map(([oldId, newId]) => [newId, oldId])),
};

/** The pricing to use. */
export interface Offer {
  pricing: Pricing;
  /** The plan that came back, as this pricing calls it. */
  planId: string | undefined;
  /** Neither pricing accepts the plan that came back any more. */
  retired: boolean;
}

/** Which pricing applies, according to the toggle; while Redis is down, its last known value. */
export class Plans {
  /** The pricing in force, as last known to this pod. */
  #last: Pricing = 'Legacy';

  constructor(readonly store: Pick<Store, 'plans' | 'outage'>) {}

  /** The pricing of the plan that came back; without one, for one that is retired, and for a new quote, the pricing in force. */
  async offer(planId: string | undefined, isNew: boolean): Promise<Offer> {
    const route = planId === undefined || isNew ? undefined : await this.#route(planId);
    const retired = route === 'Retired';
    const pricing = route === undefined || retired ? await this.#inForce() : route;
    return { pricing, planId: planId === undefined ? undefined : idIn(pricing, planId), retired };
  }

  async #route(planId: string): Promise<Route> {
    const { plans, outage } = this.store;
    const ask = async () => (await plans.route([planId]))[0]?.route ?? 'Retired';
    return outage.run(ask, () => (PricePlan.isOld(planId) ? 'Legacy' : 'Core'));
  }

  async #inForce(): Promise<Pricing> {
    const { plans, outage } = this.store;
    const ask = async () => {
      const [tagged = ''] = await plans.tag(['571']); // any id will do
      this.#last = PricePlan.isOld(tagged) ? 'Legacy' : 'Core';
      return this.#last;
    };
    return outage.run(ask, () => this.#last);
  }
}

/** A plan of either pricing as this one calls it. */
function idIn(pricing: Pricing, planId: string): string {
  const bare = PricePlan.bare(planId);
  return issued(pricing, IDS[pricing].get(bare) ?? bare);
}

/** An id as it goes out: it says which pricing issued it. */
function issued(pricing: Pricing, bareId: string): string {
  return pricing === 'Core' ? bareId : bareId + OLD;
}

/** Rules as they go out. */
export function outgoing(pricing: Pricing, rules: readonly PlanRule[]): PlanRule[] {
  return rules.map((rule) => ({ ...rule, planId: issued(pricing, rule.planId) }));
}
