import type { Mode } from '../../api/pod.js';
import { MODES, newUser } from './api.js';
import { $, announce, h } from './dom.js';
import { priceOf } from './price.js';
import { Repeat } from './repeat.js';
import { tally } from './tally.js';
import { money, rendered, t } from './text.js';
import { STEPS, type Step, type Trip, scooters, travel } from './trip.js';

const MAX_USERS = 60;
/** A browser has six connections to a server, and each user makes the journey twice. */
const TOGETHER = 3;

interface Journey {
  number: number;
  scooter: string;
  trips: Record<Mode, Trip>;
}

const overcharged: Record<Mode, number> = { today: 0, quotelock: 0 };
let users = 0;
let last: Journey | undefined;

/** Sends users until one is charged a different price from the one the map showed. */
export async function startJourney(): Promise<void> {
  const repeat = new Repeat($('#journey-go'), () => t('journey'), $('#journey-status'));
  let since = 0;
  let known: string[] = [];
  const once = async () => {
    const next = users + 1;
    repeat.say(() => t('journeyRunning', { user: next }));
    if (known.length === 0) known = await scooters(newUser());
    const journeys = await Promise.all(Array.from({ length: TOGETHER }, () => send(known)));
    for (const journey of journeys) {
      users += 1;
      journey.number = users;
      for (const mode of MODES) {
        const trip = journey.trips[mode];
        if (isOther(trip)) overcharged[mode] += 1;
        tally(mode, isOther(trip) || trip.steps.some(({ kind }) => kind === 'other'));
      }
    }
    const found = journeys.find(({ trips }) => isOther(trips.today));
    last = found ?? journeys[0] ?? last;
    render();
    if (!found && users - since < MAX_USERS) return false;
    const tried = users - since;
    repeat.say(() => (found ? '' : t('journeyNone', { users: tried })));
    since = users;
    if (last) announce(said(last));
    return true;
  };
  repeat.start(once);
  rendered(render);
  await repeat.run(once);
}

/** One user's journey without quotelock and with it, at the same time. */
async function send(known: readonly string[]): Promise<Journey> {
  const user = newUser();
  const scooter = known[Math.floor(Math.random() * known.length)] ?? '';
  const [today, quotelock] = (await Promise.all(MODES.map((mode) => travel(mode, user, scooter)))) as [Trip, Trip];
  return { number: 0, scooter, trips: { today, quotelock } };
}

function isOther({ charged, shown }: Trip): boolean {
  return charged !== shown;
}

function render(): void {
  for (const mode of MODES) {
    $(`#journey .${mode} .score`).textContent = users ? t('journeyScore', { count: overcharged[mode], all: users }) : '';
  }
  if (!last) return;
  const { trips, number, scooter } = last;
  $('#journey-user').textContent = t('journeyUser', { user: number, scooter });
  const rows = STEPS.map((name) =>
    h('tr', {}, h('th', { scope: 'row' }, t(name)), ...MODES.map((mode) => cell(name, trips[mode]))),
  );
  $('#journey tbody').replaceChildren(...rows);
}

function cell(name: Step['name'], trip: Trip): HTMLElement {
  const step = trip.steps.filter((step) => step.name === name).at(-1);
  if (!step) return h('td');
  const { pod, queryTime, rule, kind } = step;
  const mark = { first: '', same: '✓ ', other: '✗ ', newQuote: '! ' }[kind];
  const where = h('small', { translate: 'no' }, `${pod} · ${queryTime.slice(11, 23)}`);
  if (name !== 'pay') return h(`td.${kind}`, {}, h('b', {}, priceOf(rule)), h('span', {}, mark + t(kind)), where);
  const amount = money(trip.charged);
  const says = isOther(trip) ? `✗ ${t('notAsShown', { amount: money(trip.shown) })}` : `✓ ${t('asShown')}`;
  const charged = h('b', {}, t('charged', { amount, minutes: trip.minutes }));
  return h(`td.${isOther(trip) ? 'other' : 'same'}`, {}, charged, h('span', {}, says), where);
}

function said({ number, trips }: Journey): string {
  return t('journeySaid', { user: number, today: money(trips.today.charged), quotelock: money(trips.quotelock.charged) });
}
