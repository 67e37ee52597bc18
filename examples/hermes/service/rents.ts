import type { RentConfig, Rents as RentStore, Reservation, Step } from '../store/store.js';
import type { PlanRule } from '../upstream/book.js';
import type { Prices, Quote, Quotes, User } from './quotes.js';

export interface Order {
  rentId: string;
  vehicleId: string;
  planId: string;
  queryTime: string | undefined;
  /** What the user saw of the vehicle. */
  pricingId: string | undefined;
}

/** A rent, as its user sees it. */
export interface Rent {
  rentId: string;
  vehicleId: string;
  state: 'Reserved' | 'Started' | 'Returned';
  queryTime: string;
  /** The terms of its charge, fixed when it was reserved. */
  rule: PlanRule;
  minutes?: number;
  /** What is to be paid. */
  cents?: number;
}

/** What is to be ridden is shown, and has no price. */
export class NoPrice extends Error {
  override readonly name = 'NoPrice';
}

/** Reserved at the price the user saw; or not, and what to show instead, if anything. */
export type Reserved = { verdict: 'Match'; rent: Rent } | { verdict: 'Changed' | 'NewQuote'; quote: Quote | undefined };

/** From reserving to paying. Once reserved, a rent knows its price: lock, toggle and upstream no longer matter. */
export class Rents {
  constructor(
    readonly quotes: Quotes,
    readonly store: RentStore,
  ) {}

  async reserve(user: User, order: Order): Promise<Reserved> {
    const { rentId, vehicleId } = order;
    const known = await this.store.get(user.id, rentId); // repeated, as the answer was lost
    if (known) return { verdict: 'Match', rent: rentOf(rentId, await this.#withConfig(user, rentId, known)) };

    const lock = await this.quotes.store.locks.getById(user.id);
    if (!lock) return { verdict: 'NewQuote', quote: undefined };
    const verdict = await this.quotes.verdict(lock, vehicleId, order);
    const quote = await this.quotes.quoteUnder(lock, [vehicleId], order);
    const hasNoPrice = quote.scooters[0]?.pricingId === null;
    if (hasNoPrice) throw new NoPrice(`scooter ${vehicleId} has no price yet and can't be reserved`);
    const rentConfig = configOf(quote);
    if (verdict !== 'Match' || quote.newQuote || !rentConfig) {
      return { verdict: verdict === 'Match' ? 'NewQuote' : verdict, quote: { ...quote, newQuote: true } };
    }

    const reservation = { vehicleId, planId: rentConfig.rule.planId, roleIds: quote.roleIds, queryTime: quote.queryTime };
    const stored = await this.store.set(user.id, rentId, { ...reservation, rentConfig });
    return { verdict: 'Match', rent: rentOf(rentId, await this.#withConfig(user, rentId, stored)) };
  }

  /** Undefined if there is no such rent of this user, or it was not started. */
  async step(user: User, rentId: string, step: Step): Promise<Rent | undefined> {
    const reserved = await this.store.get(user.id, rentId);
    const started = step === 'return' ? await this.store.getStep(user.id, rentId, 'start') : undefined;
    if (!reserved || (step === 'return' && started === undefined)) return undefined;
    const rent = await this.#withConfig(user, rentId, reserved);
    const now = await this.store.setStep(user.id, rentId, step);
    return step === 'start' ? rentOf(rentId, rent, now) : rentOf(rentId, rent, started, now);
  }

  /** A rent of before has no `rentConfig`. It is charged by what upstream says of its plan, or of the one that replaced it, at its own moment. */
  async #withConfig(user: User, rentId: string, reservation: Reservation): Promise<Configured> {
    const { rentConfig } = reservation;
    if (rentConfig) return { ...reservation, rentConfig };
    const config = configOf(await this.quotes.pricesOf(reservation));
    if (!config) throw new NoPrice(`rent ${rentId} has no price to start by`);
    return { ...reservation, rentConfig: await this.store.setConfig(user.id, rentId, config) };
  }
}

type Configured = Reservation & { rentConfig: RentConfig };

/** What one vehicle's rent by the plan that came back is charged by, undefined if it has no price by that. */
function configOf({ pricing, planId, scooters: [scooter], prices }: Prices): RentConfig | undefined {
  const pricingId = scooter?.pricingId;
  const rule = pricingId ? prices[pricingId]?.find((plan) => plan.planId === planId) : undefined;
  return pricingId && rule ? { pricing, pricingId, rule } : undefined;
}

function rentOf(rentId: string, { vehicleId, queryTime, rentConfig }: Configured, started?: number, returned?: number): Rent {
  const { rule } = rentConfig;
  const rent: Rent = { rentId, vehicleId, state: 'Reserved', queryTime, rule };
  if (started === undefined) return rent;
  if (returned === undefined) return { ...rent, state: 'Started' };
  const minutes = Math.max(1, Math.ceil((returned - started) / 60_000));
  return { ...rent, state: 'Returned', minutes, cents: rule.unlockCents + minutes * rule.perMinuteCents };
}
