import { PricePlan } from 'quotelock';

import type { PlanRule, Pricing } from '../upstream/book.js';

/** What old pricing's ids end with. */
const OLD = '_old';

/** Which plan of new pricing replaced one of old pricing. Any other kept its id. */
const REPLACED: readonly [oldId: string, newId: string][] = [['572', '580']];
const IDS: Record<Pricing, ReadonlyMap<string, string>> = {
  Core: new Map(REPLACED),
  Legacy: new Map(REPLACED.map(([oldId, newId]) => [newId, oldId])),
};

/** The pricing to go by. */
export interface Offer {
  pricing: Pricing;
  /** The plan that came back, as this pricing calls it. */
  planId: string | undefined;
  /** Neither pricing takes the plan that came back any more. */
  retired: boolean;
}

/** The pricing of the plan that came back; without one, for one that is retired, and for a new quote, the pricing in force. */
export async function offer(plans: PricePlan, planId: string | undefined, isNew: boolean): Promise<Offer> {
  if (planId === undefined) return { pricing: await inForce(plans), planId, retired: false };
  const [routed] = isNew ? [] : await plans.route([planId]);
  if (routed && routed.route !== 'Retired') return { pricing: routed.route, planId: idIn(routed.route, planId), retired: false };
  const pricing = await inForce(plans);
  return { pricing, planId: idIn(pricing, planId), retired: routed !== undefined };
}

async function inForce(plans: PricePlan): Promise<Pricing> {
  const [tagged = ''] = await plans.tag(['571']);
  return PricePlan.isOld(tagged) ? 'Legacy' : 'Core';
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
