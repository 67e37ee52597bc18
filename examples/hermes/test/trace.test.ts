import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Redis } from 'ioredis';
import { LockedQuoteInfo, Outage } from 'quotelock';

import { addScreens } from '../api/screens.js';
import { jsonServer } from '../api/server.js';
import { type TracedCall, traceRedis, traceScreens, traceUpstream } from '../api/trace.js';
import { Fleet } from '../service/fleet.js';
import { Quotes } from '../service/quotes.js';
import { Rents } from '../service/rents.js';
import { bytesOf, connect } from '../store/connect.js';
import { QuotelockStore } from '../store/quotelock.js';
import type { Store } from '../store/store.js';
import { TodayStore } from '../store/today.js';
import { UpstreamClient } from '../upstream/client.js';
import { KEY, address, book, redis, timing } from './pods.js';

/** The calls of a map, as a pod with such a store says them. */
async function traced(storeOf: (redis: Redis) => Store, headers: Record<string, string> = { 'x-trace': '1' }) {
  const own = traceRedis(connect({ port: redis.options.port as number }));
  const bytes = bytesOf(own);
  const upstream = new UpstreamClient(address, traceUpstream);
  const store = storeOf(own);
  const quotes = new Quotes(store, upstream, '3');
  const pod = jsonServer('pod-0');
  traceScreens(pod);
  addScreens(pod, new Fleet(400), () => ({ quotes, rents: new Rents(quotes, store.rents), upstream }));
  try {
    const asked = { 'x-user-id': 'ann', 'x-role-ids': '3', ...headers };
    const answer = await pod.inject({ url: '/scooters?area=0', headers: asked });
    assert.equal(answer.statusCode, 200, answer.body);
    const trace = answer.headers['x-trace'] as string | undefined;
    return { calls: trace === undefined ? undefined : (JSON.parse(trace) as TracedCall[]), bytes: bytes() };
  } finally {
    own.disconnect();
    upstream.close();
  }
}

function summary(calls: TracedCall[] | undefined): [string, number][] | undefined {
  return calls?.map(({ name, count }) => [name, count]);
}

const today = (own: Redis) => new TodayStore(own, timing, 20_000, Date.now);
class Locks extends LockedQuoteInfo {}
const quotelock = (own: Redis) => {
  Locks.bind(own);
  return new QuotelockStore(own, timing, new Outage(), 0, new Locks());
};

test('a screen that is asked to says which calls it made, when, and what they were answered', async () => {
  const before = Date.now();
  const { calls, bytes } = await traced(today);
  const { queryTime } = JSON.parse((await redis.get(KEY)) ?? '');
  const pricingOf = (id: number) => book.tags(String(id), '3', Date.parse(queryTime), Infinity)?.pricingId;
  const pricings = new Set(Array.from({ length: 200 }, (_, at) => pricingOf(4000 + at)).filter(Boolean));
  assert.deepEqual(summary(calls), [
    ['GET', 1],
    ['SET', 1],
    ['PRICEPLAN.TAG', 1],
    ['HGETALL', 200],
    ['getTags', 200],
    ['HSET+PEXPIRE', 200],
    ['getRules', pricings.size],
    ['answer', 1],
  ]);
  const [get, set] = calls as [TracedCall, TracedCall];
  assert.deepEqual([get.args, get.reply, set.reply], [JSON.stringify([KEY]), 'null', 'OK']);
  assert.ok(set.args.includes(queryTime));
  let last = before;
  for (const { name, at, ms } of calls ?? []) {
    assert.ok(at >= last - 50 && at + ms <= Date.now() + 1, `${name} at ${at}, ${ms} ms`);
    assert.ok(name === 'answer' || ms > 0, name);
    last = at;
  }
  assert.ok(bytes > 200 * 30, `${bytes} bytes`);
});

test('a second screen says that it found what the first one kept', async () => {
  const first = await traced(quotelock);
  const second = await traced(quotelock);
  assert.match(first.calls?.[0]?.reply ?? '', /"outcome":"Created"/);
  assert.match(second.calls?.[0]?.reply ?? '', /"outcome":"Held"/);
  const upstream = (calls: TracedCall[] = []) => calls.filter(({ to }) => to === 'upstream').map(({ name }) => name);
  assert.deepEqual([upstream(first.calls), upstream(second.calls)], [['getTags', 'getRules'], []]);
});

test('a screen that is not asked to says nothing', async () => {
  assert.equal((await traced(today, {})).calls, undefined);
});
