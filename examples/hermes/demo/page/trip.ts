import type { Mode } from '../../api/pod.js';
import type { Quote } from '../../service/quotes.js';
import type { Rent } from '../../service/rents.js';
import type { PlanRule } from '../../upstream/book.js';
import { type Reply, ask } from './api.js';
import { isSamePrice } from './price.js';

export const STEPS = ['map', 'page', 'reserve', 'ride', 'pay'] as const;

/** What a screen showed, and what was shown before. */
export interface Step {
  name: (typeof STEPS)[number];
  pod: string;
  queryTime: string;
  rule: PlanRule;
  kind: 'first' | 'same' | 'other' | 'newQuote';
}

export interface Trip {
  steps: Step[];
  minutes: number;
  /** What was charged, and what the price on the map, or the last announced new price, would have charged. In cents. */
  charged: number;
  shown: number;
}

interface OnScreen {
  queryTime: string;
  pricingId: string;
  rule: PlanRule;
}

/** The price that is shown first is that of a pricing's first plan. */
const PLAN = 0;
const AREA = 0;
const MOST_QUOTES = 20;

/** The scooters of the map that have a price. */
export async function scooters(user: string): Promise<string[]> {
  const { body } = await ask<Quote>('quotelock', user, `/scooters?area=${AREA}`);
  return body.scooters.flatMap(({ id, pricingId }) => (pricingId === null ? [] : [id]));
}

/** One user's journey from the map to paying. Without quotelock the app knows no `queryTime`, so it sends none back. */
export async function travel(mode: Mode, user: string, scooter: string): Promise<Trip> {
  const steps: Step[] = [];
  let agreed: PlanRule | undefined;
  const see = (name: Step['name'], pod: string, { queryTime, rule }: Pick<OnScreen, 'queryTime' | 'rule'>, isNew = false) => {
    const before = steps.at(-1)?.rule;
    const kind = !before ? 'first' : isNew ? 'newQuote' : isSamePrice(before, rule) ? 'same' : 'other';
    if (!before || isNew) agreed = rule;
    steps.push({ name, pod, queryTime, rule, kind });
  };

  const [map, page] = await Promise.all([
    ask<Quote>(mode, user, `/scooters?area=${AREA}`),
    ask<Quote>(mode, user, `/scooters/${scooter}`),
  ]);
  const first = shownIn(map.body, scooter);
  let shown = shownIn(page.body, scooter);
  see('map', map.pod, first);
  see('page', page.pod, shown, mode === 'quotelock' && shown.queryTime !== first.queryTime);

  const rentId = `${user}-rent`;
  for (let quotes = 0; ; quotes += 1) {
    const { queryTime, pricingId, rule } = shown;
    const seen = mode === 'quotelock' ? { queryTime, pricingId } : {};
    const order = { rentId, vehicleId: scooter, planId: rule.planId, ...seen };
    const { status, pod, body } = await ask<Rent & { quote?: Quote | null }>(mode, user, '/rents', 'POST', order);
    if (status === 201) {
      see('reserve', pod, body);
      break;
    }
    if (quotes === MOST_QUOTES) throw new Error(`no quote held in ${MOST_QUOTES} attempts`);
    // The user sees the new price, and accepts it.
    shown = shownIn(body.quote ?? (await ask<Quote>(mode, user, `/scooters/${scooter}`)).body, scooter);
    see('reserve', pod, shown, true);
  }

  const go = (step: string): Promise<Reply<Rent>> => ask(mode, user, `/rents/${rentId}`, 'PATCH', { step });
  const ride = await go('start');
  see('ride', ride.pod, ride.body);
  const { pod, body } = await go('return');
  see('pay', pod, body);
  const { minutes = 0, cents = 0 } = body;
  const { unlockCents = 0, perMinuteCents = 0 } = agreed ?? {};
  return { steps, minutes, charged: cents, shown: unlockCents + minutes * perMinuteCents };
}

/** What a quote shows of a scooter. */
function shownIn({ queryTime, scooters, prices }: Quote, scooter: string): OnScreen {
  const pricingId = scooters.find(({ id }) => id === scooter)?.pricingId ?? '';
  const rule = prices[pricingId]?.[PLAN];
  if (!rule) throw new Error(`scooter ${scooter} has no price`);
  return { queryTime, pricingId, rule };
}
