import type { TracedCall } from '../../api/trace.js';
import type { Answer, Side } from '../race.js';
import { type Child, h, term } from './dom.js';
import { priceOf } from './price.js';
import { number, t } from './text.js';

type Kind = 'lock' | 'upstream' | 'other' | 'shows';

/** One relevant call of a pod, or all other calls between two of these. */
interface Event {
  kind: Kind;
  calls: [TracedCall, ...TracedCall[]];
}

/** What two pods did, one to the left and one to the right of the times. */
export function timeline({ answers, pair, began, lock }: Side): HTMLElement {
  const lanes = pair.map((at) => answers[at] as Answer);
  const [one = '', other = ''] = lanes.map(({ pod }) => pod);
  const events = lanes
    .flatMap((answer, lane) => eventsOf(answer.calls).map((event) => ({ answer, lane, event, at: event.calls[0].at })))
    .sort((a, b) => a.at - b.at);
  const rows = events.map(({ answer, lane, event, at }) => {
    const title = event.calls.map(titleOf).join('\n');
    const says = describe(event, answer, lock);
    const box = h(`div.box.${event.kind}`, { title }, h('span.pod.hidden', {}, term(answer.pod), ' '), ...says);
    return h(`li.lane${lane}`, {}, h('span.at', { translate: 'no' }, clock(at - began)), box);
  });
  const terms = { 'aria-hidden': 'true', translate: 'no' };
  const head = h('div.lanes', terms, h('b', {}, one), h('span', {}, 'ms'), h('b', {}, other));
  return h('div.timeline', {}, head, h('ol', { 'aria-label': t('timeline', { one, other }) }, ...rows));
}

function eventsOf(calls: readonly TracedCall[]): Event[] {
  const events: Event[] = [];
  for (const call of calls) {
    const kind = kindOf(call);
    const last = events.at(-1);
    if (kind === 'other' && last?.kind === 'other') last.calls.push(call);
    else events.push({ kind, calls: [call] });
  }
  return events;
}

function kindOf({ to, name }: TracedCall): Kind {
  if (to === 'app') return 'shows';
  if (to === 'upstream') return 'upstream';
  return ['GET', 'SET', 'QUOTELOCK.ACQUIRE'].includes(name) ? 'lock' : 'other';
}

function describe({ kind, calls }: Event, { rule }: Answer, lock: string | null): Child[] {
  const [{ name, count, args, reply }] = calls;
  if (kind === 'shows') return [t('shows', { price: priceOf(rule) })];
  if (kind === 'upstream') return [t(name === 'getTags' ? 'askTags' : 'askRules', { count }), ...took(calls)];
  if (kind === 'other') return [...namesOf(calls), ...took(calls)];
  if (name === 'GET') return [code(name), ' → ', code(momentIn(reply) ?? 'nil')];
  if (name === 'SET') {
    const lost = lock !== null && !args.includes(lock);
    return [code(name), ' ', code(momentIn(args) ?? ''), lost && h('b.lost', {}, ` ${t('overwritten')}`)];
  }
  return [code(`${name} *`), ' → ', code(momentIn(reply) ?? ''), ' ', code(outcomeIn(reply))];
}

/** Each command once, with how often it was sent. */
function namesOf(calls: readonly TracedCall[]): Child[] {
  const counts = new Map<string, number>();
  for (const { name, count } of calls) counts.set(name, (counts.get(name) ?? 0) + count);
  const names = [...counts].map(([name, count]) => code(count > 1 ? `${name} ×${count}` : name));
  return names.flatMap((name, at) => (at ? [', ', name] : [name]));
}

/** Milliseconds, with a decimal where there is room for it. */
function clock(ms: number): string {
  return number(ms, ms < 100 ? 1 : 0);
}

/** How long calls took, one after another, if that is long. */
function took(calls: readonly TracedCall[]): Child[] {
  const [first, last] = [calls[0], calls.at(-1)];
  const ms = first && last ? last.at + last.ms - first.at : 0;
  return ms >= 5 ? [' ', h('span.took', {}, t('tookMs', { ms: number(ms) }))] : [];
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

/** The time of day of a lock's `queryTime`. */
function momentIn(text: string): string | undefined {
  return /T(\d\d:\d\d:\d\d\.\d{3})/.exec(text)?.[1];
}

function outcomeIn(reply: string): string {
  return /"outcome":"(\w+)"/.exec(reply)?.[1] ?? '';
}
