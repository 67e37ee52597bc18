import type { PlanRule } from '../../upstream/book.js';
import { money, t } from './text.js';

export function priceOf(rule: PlanRule | null | undefined): string {
  return rule ? t('price', { unlock: money(rule.unlockCents), minute: money(rule.perMinuteCents) }) : t('noPrice');
}

export function isSamePrice(one: PlanRule | null, other: PlanRule | null): boolean {
  return one?.unlockCents === other?.unlockCents && one?.perMinuteCents === other?.perMinuteCents;
}
