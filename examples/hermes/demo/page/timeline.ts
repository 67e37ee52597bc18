import type { TracedCall } from '../../api/trace.js';
import type { Answer, Side } from '../race.js';
import { type Child, h, term } from './dom.js';
import { priceOf } from './price.js';
import { number, t } from './text.js';

/** What two pods did, one to the left and one to the right of the times. */
export function timeline({ answers, pair, began, lock }: Side): HTMLElement {
  const lanes = pair.map((at) => answers[at] as Answer);
  const [one = '', other = ''] = lanes.map(({ pod }) => pod);
  const events = lanes
    .flatMap((answer, lane) => answer.calls.map((call) => ({ answer, lane, call })))
    .sort((a, b) => a.call.at - b.call.at);
  const rows = events.map(({ answer, lane, call }) => {
    const [kind, ...says] = describe(call, answer, lock);
    const box = h(`div.box.${kind}`, { title: titleOf(call) }, h('span.pod.hidden', {}, term(answer.pod), ' '), ...says);
    return h(`li.lane${lane}`, {}, h('span.at', { translate: 'no' }, clock(call.at - began)), box);
  });
  const head = h(
    'div.lanes',
    { 'aria-hidden': 'true', translate: 'no' },
    h('b', {}, one),
    h('span', {}, 'ms'),
    h('b', {}, other),
  );
  return h('div.timeline', {}, head, h('ol', { 'aria-label': t('timeline', { one, other }) }, ...rows));
}

type Kind = 'lock' | 'upstream' | 'other' | 'shows';

function describe(call: TracedCall, { rule }: Answer, lock: string | null): [Kind, ...Child[]] {
  const { to, name, count, args, reply } = call;
  if (to === 'app') return ['shows', t('shows', { price: priceOf(rule) })];
  if (to === 'upstream') return ['upstream', t(name === 'getTags' ? 'askTags' : 'askRules', { count }), took(call)];
  if (name === 'GET') return ['lock', code(name), ' → ', code(momentIn(reply) ?? 'nil')];
  if (name === 'SET') {
    const lost = lock !== null && !args.includes(lock);
    return ['lock', code(name), ' ', code(momentIn(args) ?? ''), lost && h('b.lost', {}, ` ${t('overwritten')}`)];
  }
  if (name === 'QUOTELOCK.ACQUIRE')
    return ['lock', code(`${name} *`), ' → ', code(momentIn(reply) ?? ''), ' ', code(outcomeIn(reply))];
  return ['other', code(count > 1 ? `${name} ×${count}` : name), took(call)];
}

/** Milliseconds, with a decimal where there is room for it. */
function clock(ms: number): string {
  return number(ms, ms < 100 ? 1 : 0);
}

/** Only what takes long has its time beside it. */
function took({ ms }: TracedCall): Child {
  return ms >= 5 && h('span.took', {}, ` ${t('tookMs', { ms: number(ms) })}`);
}

/** A command, which may break after the dot of its family and between those of a pipeline. */
function code(text: string): HTMLElement {
  const element = term('', 'code');
  element.append(...text.split(/(?<=[.+])(?=[A-Z])/).flatMap((part, at) => (at ? [h('wbr'), part] : [part])));
  return element;
}

function titleOf({ name, args, reply }: TracedCall): string {
  return `${name} ${args}${reply && ` → ${reply}`}`;
}

/** The time of day of the moment in a lock. */
function momentIn(text: string): string | undefined {
  return /T(\d\d:\d\d:\d\d\.\d{3})/.exec(text)?.[1];
}

function outcomeIn(reply: string): string {
  return /"outcome":"(\w+)"/.exec(reply)?.[1] ?? '';
}
