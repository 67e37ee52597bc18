import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Outage, Timing } from 'quotelock';

import { Fleet } from '../service/fleet.js';
import { type Quote, Quotes } from '../service/quotes.js';
import { QuotelockStore } from '../store/quotelock.js';
import type { UpstreamClient } from '../upstream/client.js';
import { NO_FAULTS } from '../upstream/faults.js';
import { ask, asked, book, clients, pods, redis, stores, timing, upstream } from './pods.js';

test('pods that fill the same rows at once answer alike, and what is kept is what upstream says of the moment', async () => {
  const before = upstream.calls;
  upstream.faults = { ...NO_FAULTS, delayMs: 200 };
  const maps = await Promise.all(pods.map((_, pod) => ask('GET', '/scooters', {}, pod)));
  upstream.faults = NO_FAULTS;
  assert.equal(upstream.calls - before, 2, 'one pod asks VS, one asks PS');
  for (const map of maps) assert.deepEqual(map, maps[0]);
  const quote: Quote | undefined = maps[0]?.body;
  assert.ok(quote);
  const { queryTime, scooters, prices } = quote;
  const moment = Date.parse(queryTime);
  for (const { id, pricingId } of scooters) {
    const known = book.tags(id, '3', moment, Infinity);
    assert.equal(pricingId ?? '', known?.pricingId);
    if (pricingId === null) continue;
    const rules = book.rules('Legacy', pricingId, ['3', '7'], moment, Infinity);
    assert.deepEqual(
      prices[pricingId],
      rules.map((rule) => ({ ...rule, planId: `${rule.planId}_old` })),
    );
  }
});

test('a map is answered out of copies, and as a pod without copies answers it', async () => {
  const path = '/scooters?area=0';
  const without = await ask('GET', path, {}, 2);
  await redis.config('RESETSTAT');
  assert.deepEqual(await ask('GET', path, {}, 0), without);
  assert.deepEqual(await asked(), [2, 0, 0], 'the copies are made: of tags and of rules');
  assert.deepEqual(await ask('GET', path, {}, 0), without);
  assert.deepEqual(await asked(), [2, 0, 0], 'nothing is asked for any more');
  assert.deepEqual(await ask('GET', path, {}, 2), without);
  assert.deepEqual(await asked(), [2, 2, 0]);
});

test('what a copy lacks is claimed, and in the copies of all pods at their next map', async () => {
  const { queryTime } = (await ask('GET', '/scooters?area=0', {}, 0)).body;
  const before = upstream.calls;
  const all = await ask('GET', '/scooters', {}, 0);
  const calls = upstream.calls - before;
  assert.ok(calls === 1 || calls === 2, `${calls} calls: for the other area, and for rules that only it needs`);
  assert.equal(all.body.queryTime, queryTime);
  assert.equal(all.body.scooters.length, 400);
  for (const { id, pricingId } of (all.body as Quote).scooters) {
    assert.equal(pricingId ?? '', book.tags(id, '3', Date.parse(queryTime), Infinity)?.pricingId);
  }
  for (const pod of [1, 3]) assert.deepEqual(await ask('GET', '/scooters', {}, pod), all);
  await redis.config('RESETSTAT');
  assert.deepEqual(await ask('GET', '/scooters?area=1', {}, 1), await ask('GET', '/scooters?area=1', {}, 3));
  assert.deepEqual(await asked(), [0, 2, 0], 'only the pod without copies asks');
  assert.equal(upstream.calls - before, calls);
});

test('copies outlive what was deleted, and a pod without room for a copy answers all the same', async () => {
  const map = await ask('GET', '/scooters', {}, 2);
  assert.deepEqual(await ask('GET', '/scooters', {}, 0), map);
  await redis.del(`hermes:tags:{${map.body.queryTime}}:3`);
  const before = upstream.calls;
  assert.deepEqual(await ask('GET', '/scooters', {}, 0), map);
  assert.equal(upstream.calls, before);
  const cramped = new QuotelockStore(redis, timing, new Outage(), 100);
  const quotes = new Quotes(cramped, clients[0] as UpstreamClient, '3');
  const user = { id: 'ann', roleIds: ['7', '3'] };
  for (const time of ['first', 'second']) {
    const quote = await quotes.quote(user, new Fleet(400).area(0), 'renew', {});
    assert.deepEqual(quote?.scooters, map.body.scooters.slice(0, 200), time);
  }
});

test('pricings that do not have the same plans are kept as they are', async () => {
  const rule = (planId: string) => ({
    planId,
    name: planId,
    isDefault: true,
    isBasic: true,
    unlockCents: 100,
    perMinuteCents: 20,
  });
  const moment = { queryTime: new Date().toISOString(), roleIds: ['7', '3'] };
  const rows = new Map([
    ['100', [rule('571')]],
    ['101', [rule('572'), rule('573')]],
  ]);
  const asked: string[][] = [];
  const ask = async (ids: string[]) => {
    asked.push(ids);
    return new Map([...rows, ['103', []]]);
  };
  for (const store of stores) assert.deepEqual(await store.rules(moment, 'Core', ['100', '101', '103'], ask), rows);
  assert.equal(
    await redis.call('VEHPRICE.GET', `hermes:rules:{${moment.queryTime}}:3,7:Core`, '100', 'JSON'),
    JSON.stringify({ 'plan:571': JSON.stringify(rule('571')) }),
  );
  assert.deepEqual(asked, [['100', '101', '103']], 'the one without any plan is asked for once, too');
});

test('tables are filled before users are given their moment, for the roles of lately', async () => {
  const warm = new Timing({ ttlMs: 60_000, bufferMs: 10_000, lagMs: 2000, alignMs: 1000 });
  const store = new QuotelockStore(redis, warm, new Outage(), 0);
  const quotes = new Quotes(store, clients[0] as UpstreamClient, '3');
  const all = [...new Fleet(400).all];
  await quotes.quote({ id: 'ann', roleIds: ['7', '3'] }, all.slice(0, 20), 'renew', {});
  const failures: unknown[] = [];
  const warming = store.keepWarm(
    (moment) => quotes.warm(moment, all),
    (error) => failures.push(error),
  );
  try {
    const early: string[] = [];
    for (const since = Date.now(); early.length < 2 && Date.now() - since < 20_000; await sleep(20)) {
      const next = warm.nextMoment(new Date());
      const lengths = [`hermes:tags:{${next.queryTime}}:3`, `hermes:rules:{${next.queryTime}}:3,7:Legacy`].map((key) =>
        redis.call('VEHPRICE.LEN', key),
      );
      const isFilled = (await Promise.all(lengths)).join() === '400,24';
      if (isFilled && new Date() < next.since && !early.includes(next.queryTime)) early.push(next.queryTime);
    }
    assert.equal(early.length, 2, 'one after the other');
    warming.stop();
    await sleep(100);
    const before = upstream.calls;
    const lock = { queryTime: early[1] as string, roleIds: ['3', '7'], state: 'Effective' as const };
    assert.equal((await quotes.quoteUnder(lock, all, {})).scooters.length, 400);
    assert.equal(upstream.calls, before);
    assert.deepEqual(failures, []);
  } finally {
    warming.stop();
  }
});
