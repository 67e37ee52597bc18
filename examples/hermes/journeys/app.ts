import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Mode } from '../api/pod.js';
import type { Quote } from '../service/quotes.js';
import type { Rent } from '../service/rents.js';
import type { PlanRule } from '../upstream/book.js';
import type { Gateway, Reply } from './gateway.js';
import type { Screen, Tally } from './tally.js';

export const AREAS = 40;
const MOST_QUOTES = 20;

/** What the app shows: one plan's price for the scooter that the user looks at. */
interface OnScreen {
  queryTime: string;
  vehicleId: string;
  pricingId: string;
  rule: PlanRule;
}

/** Reserving was refused: what to show instead, if anything. */
interface NewQuote {
  quote: Quote | null;
}

/** One user's app: map, vehicle, reserve, start, return, and how it handles the answers. */
export class App {
  #shown: OnScreen | undefined;
  #mismatched = false;

  constructor(
    readonly gateway: Gateway,
    readonly mode: Mode,
    readonly tally: Tally,
    readonly user: string,
    readonly roleIds: string[],
    readonly lookMs: number,
    /** From this time on the user hurries. */
    readonly until: number,
  ) {}

  async journey(): Promise<void> {
    this.#shown = undefined;
    this.#mismatched = false;
    const [area, plan] = [dice(AREAS), dice(2)];

    // One in three comes by a code on the scooter: its page and the map are opened at the same moment.
    if (dice(3) === 0) {
      const vehicleId = String(4000 + area * 200 + dice(10) * 20 + dice(19)); // every twentieth has no price
      const [map, page] = await Promise.all([this.#map(area), this.#page(vehicleId)]);
      this.#see(map, vehicleId, plan);
      this.#together(page, vehicleId, plan);
    } else {
      const map = await this.#map(dice(100) === 0 ? undefined : area);
      const priced = map.scooters.filter(({ pricingId }) => pricingId !== null);
      const vehicleId = priced[dice(priced.length)]?.id;
      if (vehicleId === undefined) throw new Error('the map is empty');
      this.#see(map, vehicleId, plan);
      await this.#look();
      this.#see(await this.#page(vehicleId), vehicleId, plan);
    }

    await this.#look();
    // One in ten also opens the map on another device, which may renew the lock and has other roles.
    if (dice(10) === 0) await this.#send('map of an area', 'GET', `/scooters?area=${area}`, undefined, ['99']);
    const rent = await this.#reserve(plan);
    await this.#look();
    if (await this.#ride(rent.rentId, 'start')) {
      await this.#look();
      await this.#ride(rent.rentId, 'return');
    }
    this.tally.journeys += 1;
    if (this.#mismatched) this.tally.journeysWithMismatch += 1;
  }

  /** Most look briefly, a few for much longer. */
  async #look(): Promise<void> {
    const ms = -Math.log(1 - Math.random()) * this.lookMs;
    await sleep(Math.max(0, Math.min(ms, this.until - Date.now())));
  }

  async #map(area: number | undefined): Promise<Quote> {
    const [screen, query]: [Screen, string] = area === undefined ? ['map of all', ''] : ['map of an area', `?area=${area}`];
    return (await this.#send<Quote>(screen, 'GET', `/scooters${query}`)).body;
  }

  async #page(vehicleId: string): Promise<Quote> {
    const seen = new URLSearchParams();
    if (this.#shown) seen.set('planId', this.#shown.rule.planId);
    // The app without quotelock does not know `queryTime`.
    if (this.#shown && this.mode === 'quotelock') seen.set('queryTime', this.#shown.queryTime);
    return (await this.#send<Quote>('vehicle', 'GET', `/scooters/${vehicleId}?${seen}`)).body;
  }

  async #reserve(plan: number): Promise<Rent> {
    const rentId = randomUUID();
    for (let quotes = 0; quotes < MOST_QUOTES; quotes += 1) {
      const { vehicleId, pricingId, rule, queryTime } = this.#onScreen();
      const seen = this.mode === 'quotelock' ? { queryTime, pricingId } : {};
      const order = { rentId, vehicleId, planId: rule.planId, ...seen };
      const { body } = await this.#send<Rent | NewQuote>('reserve', 'POST', '/rents', order);
      if ('rule' in body) {
        this.#compare(body.rule, body.queryTime);
        return body;
      }
      // The user sees the new price, and accepts it.
      if (body.quote) this.#see(body.quote, vehicleId, plan);
      else this.#see(await this.#page(vehicleId), vehicleId, plan);
      await this.#look();
    }
    throw new Error(`no quote held in ${MOST_QUOTES} attempts`);
  }

  async #ride(rentId: string, step: 'start' | 'return'): Promise<boolean> {
    const { status, body: rent } = await this.#send<Rent>(step, 'PATCH', `/rents/${rentId}`, { step });
    if (status === 404) {
      this.tally.lostRents += 1;
      return false;
    }
    this.#compare(rent.rule, rent.queryTime);
    const { unlockCents, perMinuteCents } = this.#onScreen().rule;
    if (rent.cents !== undefined && rent.cents !== unlockCents + (rent.minutes ?? 0) * perMinuteCents) this.#mismatch(false);
    return true;
  }

  /** A step returns a quote: the price shown before, a new one marked as such, or one marked as not locked. */
  #see(quote: Quote, vehicleId: string, plan: number): void {
    const found = this.#ruleOf(quote, vehicleId, plan);
    if (this.#shown && !quote.newQuote && !quote.unlocked) this.#compare(found.rule, found.queryTime);
    else if (this.#shown) this.tally.newQuotes += 1;
    this.#shown = found;
  }

  /**
   * Two screens were opened at once, so neither knew of the other: an app that knows `queryTime` sees that they are two quotes.
   */
  #together(quote: Quote, vehicleId: string, plan: number): void {
    const first = this.#onScreen();
    const found = this.#ruleOf(quote, vehicleId, plan);
    const two = found.queryTime !== first.queryTime || found.rule.planId !== first.rule.planId;
    if (this.mode === 'quotelock' && two) {
      this.tally.newQuotes += 1;
      if (found.queryTime >= first.queryTime) this.#shown = found;
      return;
    }
    this.#compare(found.rule, found.queryTime);
    this.#shown = found;
  }

  #compare(rule: PlanRule, queryTime: string): void {
    const shown = this.#onScreen();
    if (priceOf(rule) !== priceOf(shown.rule)) this.#mismatch(queryTime === shown.queryTime);
  }

  #mismatch(sameMoment: boolean): void {
    this.tally.mismatches += 1;
    if (sameMoment) this.tally.sameMoment += 1;
    this.#mismatched = true;
  }

  #onScreen(): OnScreen {
    if (!this.#shown) throw new Error('nothing is shown');
    return this.#shown;
  }

  #ruleOf({ queryTime, roleIds, pricing, scooters, prices }: Quote, vehicleId: string, plan: number): OnScreen {
    const pricingId = scooters.find(({ id }) => id === vehicleId)?.pricingId;
    const rule = pricingId ? prices[pricingId]?.[plan] : undefined;
    if (!pricingId || !rule) throw new Error(`no price of ${vehicleId} in its quote`);
    const { planId } = rule;
    this.tally.show({ queryTime, roleIds: roleIds.join(), pricing, pricingId, vehicleId, planId, cents: priceOf(rule) });
    return { queryTime, vehicleId, pricingId, rule };
  }

  async #send<Body>(
    screen: Screen,
    method: 'GET' | 'POST' | 'PATCH',
    path: string,
    body?: object,
    roleIds = this.roleIds,
  ): Promise<Reply<Body>> {
    const since = performance.now();
    const reply = await this.gateway.ask<Body>({ method, path, user: this.user, roleIds, ...(body ? { body } : {}) });
    this.tally.took(screen, performance.now() - since);
    const expected = method === 'GET' ? [200] : method === 'POST' ? [201, 409] : [200, 404];
    if (!expected.includes(reply.status)) throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
    return reply;
  }
}

function priceOf({ unlockCents, perMinuteCents }: PlanRule): string {
  return `${unlockCents}+${perMinuteCents}`;
}

export function dice(sides: number): number {
  return Math.floor(Math.random() * sides);
}
