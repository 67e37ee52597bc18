import type { Mode } from '../../api/pod.js';
import type { Facts } from '../front.js';
import type { Answer, Race, Side } from '../race.js';
import { MODES, newUser, race } from './api.js';
import { $, announce, h, term } from './dom.js';
import { isSamePrice, priceOf } from './price.js';
import { Repeat } from './repeat.js';
import { tally } from './tally.js';
import { rendered, t } from './text.js';
import { timeline } from './timeline.js';

const MAX_ROUNDS = 40;
const AREA = 0;

const differed: Record<Mode, number> = { today: 0, quotelock: 0 };
let rounds = 0;
let last: Race | undefined;
/** In seconds. */
let delays: Record<'lag' | 'commit', number>;

/** Races until two pods show two prices. */
export async function startRace({ lagMs, maxCommitMs }: Facts): Promise<void> {
  delays = { lag: lagMs / 1000, commit: maxCommitMs / 1000 };
  const repeat = new Repeat($('#race-go'), () => t('race'), $('#race-status'));
  let since = 0;
  const once = async () => {
    const round = rounds + 1;
    repeat.say(() => t('raceRunning', { round }));
    last = await race(newUser(), AREA);
    rounds = round;
    for (const mode of MODES) {
      const differs = last.sides[mode].differing > 0;
      if (differs) differed[mode] += 1;
      tally(mode, differs);
    }
    render();
    const isDone = last.sides.today.differing > 0;
    if (!isDone && rounds - since < MAX_ROUNDS) return false;
    const tried = rounds - since;
    repeat.say(() => (isDone ? '' : t('raceNone', { rounds: tried })));
    since = rounds;
    const [today, quotelock] = MODES.map((mode) => verdict((last as Race).sides[mode]));
    announce(t('raceSaid', { round: rounds, today: today ?? '', quotelock: quotelock ?? '' }));
    return true;
  };
  repeat.start(once);
  rendered(render);
  await repeat.run(once);
}

function render(): void {
  for (const mode of MODES) {
    const side = last?.sides[mode];
    $(`#race .${mode} .score`).textContent = rounds ? t('raceScore', { count: differed[mode], all: rounds }) : '';
    if (side && last) $(`#race .${mode} .body`).replaceChildren(...body(mode, side, last.scooter));
  }
}

function body(mode: Mode, side: Side, scooter: string): HTMLElement[] {
  const { answers, pair, scooters, differing } = side;
  const [one, other] = pair.map((at) => answers[at] as Answer) as [Answer, Answer];
  const isSame = isSamePrice(one.rule, other.rule);
  const price = ({ pod, rule }: Answer) => h(`p.price.${isSame ? 'good' : 'bad'}`, {}, term(pod), h('b', {}, priceOf(rule)));
  return [
    h(`p.verdict.${differing ? 'bad' : 'good'}`, {}, verdict(side)),
    h('p', {}, t(differing ? 'raceDiffering' : 'raceSame', { differing, scooters, scooter })),
    h('div.prices', {}, price(one), price(other)),
    h('p.how', {}, t(mode === 'today' ? 'todayHow' : 'quotelockHow')),
    timeline(side),
    h('p.why', {}, t(why(mode, side, one, other), delays)),
    h('div.all', {}, h('h4', {}, t('allPods')), h('ul', {}, ...groups(answers))),
  ];
}

/** Which pods show which price. */
function groups(answers: readonly Answer[]): HTMLElement[] {
  const pods = new Map<string, HTMLElement[]>();
  for (const { pod, rule } of answers) pods.set(priceOf(rule), [...(pods.get(priceOf(rule)) ?? []), term(pod)]);
  const kind = pods.size === 1 ? 'good' : 'bad';
  return [...pods].map(([price, names]) => h(`li.${kind}`, {}, h('b', {}, price), ...names));
}

function verdict({ differing }: Side): string {
  return differing ? `✗ ${t('twoPrices')}` : `✓ ${t('onePrice')}`;
}

function why(mode: Mode, { differing }: Side, one: Answer, other: Answer) {
  if (differing === 0) return mode === 'quotelock' ? 'whySame' : 'whyLucky';
  if (one.queryTime === other.queryTime) return 'whyOneMoment';
  const wrote = ({ calls }: Answer) => calls.some(({ name }) => name === 'SET');
  return wrote(one) && wrote(other) ? 'whyTwoLocks' : 'whyTwoMoments';
}
