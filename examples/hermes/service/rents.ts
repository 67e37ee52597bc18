import type { RentConfig, Rents as RentStore, Step } from '../store/store.js';
import type { PlanRule } from '../upstream/book.js';
import { samePlan } from './plans.js';
import type { Quote, Quotes, User } from './quotes.js';

export interface Order {
  rentId: string;
  vehicleId: string;
  planId: string;
  queryTime: string | undefined;
}

/** A rent, as its user is told. */
export interface Rent {
  rentId: string;
  vehicleId: string;
  state: 'Reserved' | 'Started' | 'Returned';
  queryTime: string;
  /** What it is charged by: fixed when it was reserved. */
  rule: PlanRule;
  minutes?: number;
  /** What is to be paid. */
  cents?: number;
}

/** What is to be ridden is shown, and has no price. */
export class NoPrice extends Error {
  override readonly name = 'NoPrice';
}

/** Reserved at the price that was seen; or not, and what is to be shown instead, if there is anything. */
export type Reserved = { rent: Rent } | { newQuote: Quote | undefined };

/** From reserving to paying. After it is reserved a rent knows its price: neither lock nor toggle nor upstream counts any more. */
export class Rents {
  constructor(
    readonly quotes: Quotes,
    readonly store: RentStore,
  ) {}

  async reserve(user: User, { rentId, vehicleId, planId, queryTime }: Order): Promise<Reserved> {
    const known = await this.store.get(user.id, rentId); // sent again, as the answer was lost
    if (known) return { rent: rentOf(rentId, known) };

    const quote = await this.quotes.quote(user, [vehicleId], 'read', { queryTime, planId });
    const [scooter] = quote?.scooters ?? [];
    if (!quote || !scooter) return { newQuote: quote };
    const { pricingId } = scooter;
    if (pricingId === null) throw new NoPrice(`scooter ${vehicleId} has no price yet and can't be reserved`);
    const rule = quote.prices[pricingId]?.find((plan) => samePlan(plan.planId, planId)); // the quote is of the pricing that the id is of
    if (quote.newQuote || !rule) return { newQuote: quote };

    const { pricing, roleIds } = quote;
    const config: RentConfig = { vehicleId, pricing, pricingId, roleIds, queryTime: quote.queryTime, rule };
    return { rent: rentOf(rentId, await this.store.set(user.id, rentId, config)) };
  }

  /** Undefined if there is no such rent of this user, or it was not started. */
  async step(user: User, rentId: string, step: Step): Promise<Rent | undefined> {
    const config = await this.store.get(user.id, rentId);
    if (!config) return undefined;
    if (step === 'start') return rentOf(rentId, config, await this.store.setStep(user.id, rentId, 'start'));
    const started = await this.store.getStep(user.id, rentId, 'start');
    if (started === undefined) return undefined;
    return rentOf(rentId, config, started, await this.store.setStep(user.id, rentId, 'return'));
  }
}

function rentOf(rentId: string, { vehicleId, queryTime, rule }: RentConfig, started?: number, returned?: number): Rent {
  const rent: Rent = { rentId, vehicleId, state: 'Reserved', queryTime, rule };
  if (started === undefined) return rent;
  if (returned === undefined) return { ...rent, state: 'Started' };
  const minutes = Math.max(1, Math.ceil((returned - started) / 60_000));
  return { ...rent, state: 'Returned', minutes, cents: rule.unlockCents + minutes * rule.perMinuteCents };
}
