import type { Redis } from 'ioredis';
import { LockedQuoteInfo } from 'quotelock';

import type { Mode } from '../api/pod.js';
import type { TracedCall } from '../api/trace.js';
import type { Pod } from '../launch/pods.js';
import type { Quote } from '../service/quotes.js';
import type { PlanRule } from '../upstream/book.js';

/** One pod's answer for the scooter shown. */
export interface Answer {
  pod: string;
  queryTime: string;
  rule: PlanRule | null;
  calls: TracedCall[];
}

/** The outcome of a race with quotelock, or without. */
export interface Side {
  /** How many scooters have a price, and how many of them have two. */
  scooters: number;
  differing: number;
  /** The final `queryTime` of the user's lock. */
  lock: string | null;
  /** When the pods were asked, in milliseconds since 1970. */
  began: number;
  answers: Answer[];
  /** The two answers that best show what happened. */
  pair: Pair;
}

export type Pair = [number, number];

export interface Race {
  scooter: string;
  sides: Record<Mode, Side>;
}

/** The user. */
export interface Asker {
  userId: string;
  roleIds: string;
}

export interface Reply {
  pod: string;
  quote: Quote;
  calls: TracedCall[];
}

/** Prices that are compared are those of a pricing's first plan. */
const PLAN = 0;

/**
 * Calls every pod for the same map at the same time, first without quotelock, then with it. A browser can't do this: it has six
 * connections to one server.
 */
export async function race(pods: readonly Pod[], path: string, asker: Asker, databases: Record<Mode, Redis>): Promise<Race> {
  const run = async (mode: Mode, wanted?: string) => {
    const began = performance.timeOrigin + performance.now();
    const { scooter, ...judged } = judge(await askAll(pods, path, asker, mode), wanted);
    return { scooter, side: { ...judged, began, lock: await momentOf(databases[mode], asker) } };
  };
  const today = await run('today');
  const quotelock = await run('quotelock', today.scooter);
  return { scooter: today.scooter, sides: { today: today.side, quotelock: quotelock.side } };
}

async function askAll(pods: readonly Pod[], path: string, { userId, roleIds }: Asker, mode: Mode): Promise<Reply[]> {
  const headers = { 'x-user-id': userId, 'x-role-ids': roleIds, 'x-mode': mode, 'x-trace': '1' };
  const ask = async ({ options, port }: Pod): Promise<Reply[]> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
    const body = await answer.json();
    if (answer.status !== 200) return [];
    return [{ pod: options.name, quote: body as Quote, calls: JSON.parse(answer.headers.get('x-trace') ?? '[]') }];
  };
  const replies = (await Promise.all(pods.map((pod) => ask(pod).catch(() => [])))).flat();
  if (replies.length < 2) throw new Error('it takes two pods that answer');
  return replies;
}

async function momentOf(redis: Redis, { userId }: Asker): Promise<string | null> {
  const lock = await redis.get(LockedQuoteInfo.key(userId));
  return lock === null ? null : (JSON.parse(lock) as { queryTime: string }).queryTime;
}

/**
 * What the answers have in common and what differs, for the scooter that shows it best: one with two prices, otherwise the wanted
 * one.
 */
export function judge(replies: readonly Reply[], wanted?: string): Omit<Side, 'lock' | 'began'> & { scooter: string } {
  const rules = replies.map(({ quote }) => rulesOf(quote));
  const scooters = [...(rules[0]?.keys() ?? [])];
  const differing = scooters.filter((id) => new Set(rules.map((of) => priceOf(of.get(id)))).size > 1);
  const pairs = pairsOf(replies);
  const differ = ([a, b]: Pair, id: string) => priceOf(rules[a]?.get(id)) !== priceOf(rules[b]?.get(id));
  const pair = pairs.find((pair) => differing.some((id) => differ(pair, id))) ?? (pairs[0] as Pair);
  const scooter = differing.find((id) => differ(pair, id)) ?? wanted ?? scooters[0] ?? '';
  const answers = replies.map(({ pod, quote, calls }, at) => ({
    pod,
    queryTime: quote.queryTime,
    rule: rules[at]?.get(scooter) ?? null,
    calls,
  }));
  return { scooter, scooters: scooters.length, differing: differing.length, answers, pair };
}

/** All pairs of answers, those first of which both pods wrote the lock, and with two moments. */
function pairsOf(replies: readonly Reply[]): Pair[] {
  const wrote = replies.map(({ calls }) => (calls.some(writesLock) ? 1 : 0));
  const pairs = replies.flatMap((_, b) => replies.slice(0, b).map((_, a): Pair => [a, b]));
  const tells = ([a, b]: Pair) =>
    (wrote[a] ?? 0) + (wrote[b] ?? 0) + Number(replies[a]?.quote.queryTime !== replies[b]?.quote.queryTime);
  return pairs.sort((one, other) => tells(other) - tells(one));
}

function writesLock({ name, reply }: TracedCall): boolean {
  return name === 'SET' || (name === 'QUOTELOCK.ACQUIRE' && !reply.includes('Held'));
}

/** The rule of each scooter that has a price. */
function rulesOf({ scooters, prices }: Quote): Map<string, PlanRule | undefined> {
  const priced = scooters.flatMap(({ id, pricingId }) => (pricingId === null ? [] : [[id, prices[pricingId]?.[PLAN]] as const]));
  return new Map(priced);
}

function priceOf(rule: PlanRule | undefined): string {
  return `${rule?.unlockCents}+${rule?.perMinuteCents}`;
}
