import type { Plans } from '../store/store.js';
import { PLAN_IDS, type PlanRule, type Pricing } from '../upstream/book.js';

/** What is put behind the ids of old pricing. */
export const OLD = '_old';

/** The pricing to go by, and its plans as they are called outside. */
export interface Offer {
  pricing: Pricing;
  /** The plan came back, and neither pricing takes it any more. */
  retired: boolean;
}

/** The pricing of a plan that came back; without one, and for one that is retired, the pricing in force. */
export async function offer(plans: Plans, planId: string | undefined): Promise<Offer> {
  const routed = planId === undefined ? undefined : await plans.route(planId);
  if (routed && routed.route !== 'Retired') return { pricing: routed.route, retired: false };
  const [tagged] = await plans.tag(PLAN_IDS);
  return { pricing: tagged?.endsWith(OLD) ? 'Legacy' : 'Core', retired: routed !== undefined };
}

/** Rules as they go out: their plans say which pricing they are of, and so do the ids that come back. */
export function outgoing(rules: readonly PlanRule[], pricing: Pricing): PlanRule[] {
  return pricing === 'Core' ? [...rules] : rules.map((rule) => ({ ...rule, planId: rule.planId + OLD }));
}

/** Whether two ids, with or without a tag, mean the same plan. */
export function samePlan(one: string, other: string): boolean {
  return bare(one) === bare(other);
}

function bare(planId: string): string {
  return planId.endsWith(OLD) ? planId.slice(0, -OLD.length) : planId;
}
