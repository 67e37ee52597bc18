import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { FastifyInstance, InjectOptions } from 'fastify';
import type { Redis } from 'ioredis';
import { LockedQuoteInfo, Outage, Timing } from 'quotelock';

import { addScreens } from '../api/screens.js';
import { jsonServer } from '../api/server.js';
import { startRedis } from '../launch/redis.js';
import { Stage } from '../launch/stage.js';
import { Fleet } from '../service/fleet.js';
import { type Quote, Quotes } from '../service/quotes.js';
import { Rents } from '../service/rents.js';
import { connect } from '../store/connect.js';
import { QuotelockStore } from '../store/quotelock.js';
import { Book, type PlanRule } from '../upstream/book.js';
import { UpstreamClient } from '../upstream/client.js';
import { NO_FAULTS } from '../upstream/faults.js';
import { Upstream } from '../upstream/server.js';

const COPY_BYTES = 1024 * 1024;
const timing = new Timing({ ttlMs: 60_000, bufferMs: 10_000, lagMs: 300, alignMs: 1000 });
const book = new Book({
  seed: 5,
  vehicles: 400,
  priceChangesPerSecond: 100,
  tagChangesPerSecond: 400,
  maxCommitMs: 200,
});
const stage = new Stage();
const upstream = new Upstream(book, NO_FAULTS);
let pods: FastifyInstance[] = [];
let stores: QuotelockStore[] = [];
const clients: UpstreamClient[] = [];
let redis: Redis;

before(async () => {
  redis = connect({ port: (await startRedis(stage, timing)).port });
  LockedQuoteInfo.bind(redis);
  redis.setMaxListeners(0); // each pod of each test waits for its end
  const address = `127.0.0.1:${await upstream.listen()}`;
  for (let pod = 0; pod < 4; pod += 1) clients.push(new UpstreamClient(address));
});
// New pods each time, as copies outlive the flush. The first two have copies, the others have none.
beforeEach(async () => {
  await redis.flushall();
  stores = clients.map((_, pod) => new QuotelockStore(redis, timing, new Outage(), pod < 2 ? COPY_BYTES : 0));
  pods = stores.map((store, pod) => {
    const quotes = new Quotes(store, clients[pod] as UpstreamClient, '3');
    const service = { quotes, rents: new Rents(quotes, store.rents), upstream: quotes.upstream };
    const server = jsonServer(`pod-${pod}`);
    addScreens(server, new Fleet(400), () => service);
    return server;
  });
});
after(async () => {
  redis.disconnect();
  for (const client of clients) client.close();
  upstream.close();
  await stage.stop();
});

const KEY = 'hermes:LockedQuoteInfo:ann';
const TOGGLE = 'hermes:pricingReleaseToggle';

/** What a pod answers. */
async function ask(
  method: 'GET' | 'POST' | 'PATCH',
  path: string,
  body: Record<string, unknown> | string = {},
  pod = 0,
  user = 'ann',
  roles = '7,3',
) {
  const headers = { 'x-user-id': user, 'x-role-ids': roles };
  const asked: InjectOptions = { method, url: path, headers, ...(method === 'GET' ? {} : { payload: body }) };
  const answer = await (pods[pod] as FastifyInstance).inject(asked);
  assert.equal(answer.headers['x-pod'], `pod-${pod}`);
  return { status: answer.statusCode, body: answer.json() };
}

/** What a quote says of one scooter. */
function priceOf({ scooters, prices }: Quote, id: string): [PlanRule, ...PlanRule[]] {
  const pricingId = scooters.find((scooter) => scooter.id === id)?.pricingId ?? '';
  return prices[pricingId] as [PlanRule, ...PlanRule[]];
}

/** A lock of another moment, as if the one before had expired. */
async function moveOn(ago: number): Promise<string> {
  const queryTime = new Date(Date.now() - ago).toISOString();
  await redis.set(KEY, JSON.stringify({ roleIds: ['3', '7'], queryTime }), 'PX', 30_000);
  return queryTime;
}

test('map, vehicle, reserve, start and return show one price, whatever upstream does meanwhile', async () => {
  const map = await ask('GET', '/scooters?area=0');
  assert.equal(map.body.scooters.length, 200);
  const [plan] = priceOf(map.body, '4001');
  const { queryTime } = map.body;
  assert.match(queryTime, /\.000Z$/, 'a full second, as the server is set');
  await sleep(1200); // four changes of each price and one of each tag
  const page = await ask('GET', `/scooters/4001?queryTime=${queryTime}&planId=${plan.planId}`, {}, 1, 'ann', '9');
  assert.deepEqual(priceOf(page.body, '4001')[0], plan);
  assert.deepEqual(page.body.roleIds, ['7', '3'], 'the roles of the lock in force');
  assert.equal(page.body.newQuote, false);

  const order = { rentId: 'r1', vehicleId: '4001', planId: plan.planId, queryTime };
  const reserved = await ask('POST', '/rents', order, 2);
  assert.equal(reserved.status, 201);
  assert.deepEqual(reserved.body.rule, plan);
  assert.deepEqual(await ask('POST', '/rents', order, 3), reserved, 'sent again');
  assert.equal((await ask('PATCH', '/rents/r1', { step: 'return' })).status, 404, 'not started');
  assert.equal((await ask('PATCH', '/rents/r1', { step: 'start' }, 0, 'bob')).status, 404, "another user's");

  await redis.del(KEY);
  await redis.set(TOGGLE, '2');
  assert.equal((await ask('PATCH', '/rents/r1', { step: 'start' }, 3)).body.state, 'Started');
  const returned = await ask('PATCH', '/rents/r1', { step: 'return' }, 1);
  assert.deepEqual(returned.body.rule, plan);
  assert.equal(returned.body.cents, plan.unlockCents + plan.perMinuteCents);
});

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

/** How often the server was asked for rows: what changed, what there is, and what is claimed. */
async function asked(): Promise<[changes: number, reads: number, claims: number]> {
  const info = await redis.info('commandstats');
  const calls = (name: string) => Number(new RegExp(`cmdstat_vehprice\\.${name}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
  return [calls('changes'), calls('mget'), calls('claim')];
}

test('a map is answered out of copies, and as a pod without copies answers it', async () => {
  const path = '/scooters?area=0';
  const without = await ask('GET', path, {}, 2);
  await redis.config('RESETSTAT');
  assert.deepEqual(await ask('GET', path, {}, 0), without);
  assert.deepEqual(await asked(), [2, 0, 0], 'the copies are made: of tags and of rules');
  const saved = stores[0]?.savedBytes ?? 0;
  assert.deepEqual(await ask('GET', path, {}, 0), without);
  assert.deepEqual(await asked(), [2, 0, 0], 'nothing is asked for any more');
  assert.ok((stores[0]?.savedBytes ?? 0) > saved + 200 * 10);
  assert.deepEqual(await ask('GET', path, {}, 2), without);
  assert.deepEqual(await asked(), [2, 2, 0]);
  assert.equal(stores[2]?.savedBytes, 0);
});

test('what a copy lacks is claimed, and in the copies of all pods at their next map', async () => {
  const { queryTime } = (await ask('GET', '/scooters?area=0', {}, 0)).body;
  const before = upstream.calls;
  const all = await ask('GET', '/scooters', {}, 0);
  assert.equal(upstream.calls - before, 1, 'the other area; the rules are there');
  assert.equal(all.body.queryTime, queryTime);
  assert.equal(all.body.scooters.length, 400);
  for (const { id, pricingId } of (all.body as Quote).scooters) {
    assert.equal(pricingId ?? '', book.tags(id, '3', Date.parse(queryTime), Infinity)?.pricingId);
  }
  for (const pod of [1, 3]) assert.deepEqual(await ask('GET', '/scooters', {}, pod), all);
  await redis.config('RESETSTAT');
  assert.deepEqual(await ask('GET', '/scooters?area=1', {}, 1), await ask('GET', '/scooters?area=1', {}, 3));
  assert.deepEqual(await asked(), [0, 2, 0], 'only the pod without copies asks');
  assert.equal(upstream.calls - before, 1);
});

test("a vehicle's page asks for its row, and brings no copy of the table", async () => {
  await ask('GET', '/scooters', {}, 2);
  await redis.config('RESETSTAT');
  assert.equal((await ask('GET', '/scooters/4001', {}, 0)).status, 200);
  assert.deepEqual(await asked(), [0, 2, 0]);
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

test('a parking lot shows its vehicles at the prices of the map', async () => {
  const { body } = await ask('GET', '/parking-lots');
  assert.equal(body.parkingLots.length, 16);
  assert.deepEqual(body.parkingLots[2], { parkingLotId: '3', name: 'Parking lot 3', scooters: 25 });
  assert.equal(await redis.exists(KEY), 0, 'no price is shown, so no lock is needed');

  const map: Quote = (await ask('GET', '/scooters?area=0')).body;
  await sleep(600); // two changes of each price, of upstream's
  const before = upstream.calls;
  const lot = (await ask('GET', `/parking-lots/3?queryTime=${map.queryTime}`, {}, 2)).body;
  assert.equal(upstream.calls - before, 1, 'only where the vehicles stand');
  assert.deepEqual([lot.parkingLotId, lot.name, lot.queryTime, lot.newQuote], ['3', 'Parking lot 3', map.queryTime, false]);
  assert.deepEqual(lot.scooters, map.scooters.slice(50, 75));
  for (const [pricingId, plans] of Object.entries(lot.prices)) assert.deepEqual(plans, map.prices[pricingId]);
  assert.deepEqual(await ask('GET', '/parking-lots/17'), { status: 404, body: { error: 'there is no parking lot 17' } });
});

test('a vehicle without a price is shown, and can not be reserved', async () => {
  const without = { id: '4019', styleId: book.tags('4019', '3', 0, 0)?.styleId, pricingId: null };
  for (const pod of [0, 2]) {
    const map: Quote = (await ask('GET', '/scooters?area=0', {}, pod)).body;
    assert.deepEqual(map.scooters[19], without);
    assert.equal(map.scooters.filter(({ pricingId }) => pricingId === null).length, 10);
  }
  const before = upstream.calls;
  const page = await ask('GET', '/scooters/4019');
  assert.deepEqual([page.status, page.body.scooters, page.body.prices], [200, [without], {}]);
  assert.deepEqual(await ask('POST', '/rents', { vehicleId: '4019', planId: '571_old' }), {
    status: 422,
    body: { error: "scooter 4019 has no price yet and can't be reserved" },
  });
  assert.equal(upstream.calls, before, 'that it has none is kept, too');
});

test('only the map renews a closing lock, and reserving starts none', async () => {
  const order = { vehicleId: '4001', planId: '571_old' };
  assert.deepEqual(await ask('POST', '/rents', order), {
    status: 409,
    body: { verdict: 'NewQuote', error: 'ask the user again', quote: null },
  });
  assert.equal(await redis.exists(KEY), 0);

  const closing = await moveOn(55_000);
  for (const path of ['/scooters/4001', '/parking-lots/3']) {
    const { body } = await ask('GET', `${path}?queryTime=${closing}`);
    assert.deepEqual([body.queryTime, body.state, body.newQuote], [closing, 'CloseToExpired', false], path);
  }
  assert.equal((await ask('POST', '/rents', { ...order, queryTime: closing })).status, 201);
  const map = await ask('GET', `/scooters?area=0&queryTime=${closing}`);
  assert.notEqual(map.body.queryTime, closing);
  assert.deepEqual([map.body.state, map.body.newQuote], ['Effective', true]);
});

test('a lock that has moved on is a new quote at every screen', async () => {
  const seen = '2026-01-01T00:00:00.000Z';
  const now = await moveOn(5000);
  for (const path of [`/scooters?area=0&queryTime=${seen}`, `/scooters/4001?queryTime=${seen}`]) {
    const { body } = await ask('GET', path);
    assert.deepEqual([body.queryTime, body.newQuote], [now, true], path);
  }
  const reserved = await ask('POST', '/rents', { vehicleId: '4001', planId: '571_old', queryTime: seen });
  assert.deepEqual([reserved.status, reserved.body.quote.queryTime, reserved.body.quote.newQuote], [409, now, true]);
  assert.ok(priceOf(reserved.body.quote, '4001').length, 'it brings the new price');
  assert.equal((await ask('POST', '/rents', { vehicleId: '4001', planId: '571_old' })).status, 201, 'an older app');
});

test('a plan that came back is priced by its own pricing, and one that is retired is a new quote', async () => {
  const cases: [toggle: string, came: string, pricing: string, newQuote: boolean][] = [
    ['1', '571_old', 'Legacy', false],
    ['1', '571', 'Legacy', false],
    ['3', '571_old', 'Legacy', false],
    ['3', '571', 'Core', false],
    ['2', '571_old', 'Core', true],
    ['2', '571', 'Core', false],
    ['4', '571_old', 'Legacy', false],
    ['4', '571', 'Legacy', true],
  ];
  const { queryTime } = (await ask('GET', '/scooters/4001')).body;
  for (const [toggle, came, pricing, newQuote] of cases) {
    await redis.set(TOGGLE, toggle);
    const { body } = await ask('GET', `/scooters/4001?queryTime=${queryTime}&planId=${came}`);
    assert.deepEqual([body.pricing, body.newQuote], [pricing, newQuote], `${came} in mode ${toggle}`);
    const [plan] = priceOf(body, '4001');
    assert.equal(plan.planId, pricing === 'Legacy' ? '571_old' : '571', `${came} in mode ${toggle}`);
    const reserved = await ask('POST', '/rents', { vehicleId: '4001', planId: came, queryTime });
    assert.equal(reserved.status, newQuote ? 409 : 201, `${came} in mode ${toggle}`);
  }
});

test('plans say how they are called, and one that new pricing replaced is found by the id of before', async () => {
  const cases: [toggle: string, came: string, pricing: string, planId: string, newQuote: boolean][] = [
    ['1', '572_old', 'Legacy', '572_old', false],
    ['3', '572_old', 'Legacy', '572_old', false],
    ['3', '580', 'Core', '580', false],
    ['2', '572_old', 'Core', '580', true],
    ['2', '571_old', 'Core', '571', true],
    ['4', '580', 'Legacy', '572_old', true],
  ];
  const { queryTime } = (await ask('GET', '/scooters/4001')).body;
  for (const [toggle, came, pricing, planId, newQuote] of cases) {
    const said = `${came} in mode ${toggle}`;
    await redis.set(TOGGLE, toggle);
    const { body } = await ask('GET', `/scooters/4001?queryTime=${queryTime}&planId=${came}`);
    assert.deepEqual([body.pricing, body.planId, body.newQuote], [pricing, planId, newQuote], said);
    const plans = priceOf(body, '4001').map((plan) => [plan.planId, plan.name, plan.isDefault, plan.isBasic]);
    const old = pricing === 'Legacy';
    const other = old ? ['572_old', 'Commuter', false, false] : ['580', 'Commuter plus', false, false];
    assert.deepEqual(plans, [[old ? '571_old' : '571', 'Pay as you go', true, true], other], said);
    const reserved = await ask('POST', '/rents', { vehicleId: '4001', planId, queryTime });
    assert.deepEqual([reserved.status, reserved.body.rule?.planId], [201, planId], said);
  }
  // A lock that has moved on has the plan in it, too, by the pricing in force.
  await redis.set(TOGGLE, '2');
  await moveOn(5000);
  const moved = await ask('GET', `/scooters/4001?queryTime=${queryTime}&planId=572_old`);
  assert.deepEqual([moved.body.planId, moved.body.newQuote], ['580', true]);
});

test('a rent that was reserved before rents kept their price is given it when the ride starts, once', async () => {
  const queryTime = new Date(Date.now() - 3_600_000).toISOString(); // no lock is on it any more, and no table
  const cases: [toggle: string, planId: string, pricing: 'Core' | 'Legacy', charged: string][] = [
    ['1', '572_old', 'Legacy', '572_old'],
    ['3', '572_old', 'Legacy', '572_old'],
    ['2', '572_old', 'Core', '580'],
    ['2', '571_old', 'Core', '571'],
    ['3', '571', 'Core', '571'],
    ['4', '580', 'Legacy', '572_old'],
  ];
  for (const [at, [toggle, planId, pricing, charged]] of cases.entries()) {
    const rent = `/rents/before-${at}`;
    const reservation = { vehicleId: '4001', planId, roleIds: ['3', '7'], queryTime };
    await redis.set(`hermes:rents:{ann}:before-${at}`, JSON.stringify(reservation));
    await redis.set(TOGGLE, toggle);
    const started = await Promise.all(pods.map((_, pod) => ask('PATCH', rent, { step: 'start' }, pod)));
    const moment = Date.parse(queryTime);
    const pricingId = book.tags('4001', '3', moment, Infinity)?.pricingId ?? '';
    const rules = book.rules(pricing, pricingId, ['3', '7'], moment, Infinity);
    const rule = rules.find((plan) => plan.planId === charged.replace('_old', ''));
    for (const { status, body } of started) {
      assert.deepEqual([status, body.rule, body.queryTime], [200, { ...rule, planId: charged }, queryTime], rent);
    }
    await redis.set(TOGGLE, toggle === '2' ? '4' : '2'); // it does not count any more
    const before = upstream.calls;
    const returned = await ask('PATCH', rent, { step: 'return' }, at % 4);
    assert.deepEqual([returned.body.rule, upstream.calls], [{ ...rule, planId: charged }, before], rent);
  }
});

test('a rent of before that has no price can not start', async () => {
  const reservation = { planId: '571_old', roleIds: ['3'], queryTime: new Date().toISOString() };
  for (const [rent, more] of Object.entries({ r1: { vehicleId: '4019' }, r2: { vehicleId: '4001', planId: '999_old' } })) {
    await redis.set(`hermes:rents:{ann}:${rent}`, JSON.stringify({ ...reservation, ...more }));
    const refused = await ask('PATCH', `/rents/${rent}`, { step: 'start' });
    assert.deepEqual(refused, { status: 422, body: { error: `rent ${rent} has no price to start by` } });
    assert.equal((await ask('PATCH', `/rents/${rent}`, { step: 'return' })).status, 404, 'not started');
  }
});

test('roles go to PS as numbers, also those that other pods have locked as numbers', async () => {
  const asked: unknown[] = [];
  const rules = book.rules;
  book.rules = (...args) => {
    asked.push(args[2]);
    return rules.apply(book, args);
  };
  try {
    const queryTime = new Date(Date.now() - 1000).toISOString();
    await redis.set(KEY, JSON.stringify({ roleIds: [7, 30], queryTime }), 'PX', 30_000);
    assert.deepEqual((await ask('GET', '/scooters/4001')).body.roleIds, ['7', '30']);
    assert.deepEqual(asked, [['7', '30']]);
    await redis.set(KEY, JSON.stringify({ roleIds: ['admin'], queryTime }), 'PX', 30_000);
    assert.equal((await ask('GET', '/scooters/4001')).status, 503, 'not as role 0');
    assert.equal(asked.length, 1);
  } finally {
    book.rules = rules;
  }
});

test('a request that can not be answered is told what it should have been', async () => {
  const cases: [method: 'GET' | 'POST' | 'PATCH', path: string, body: Record<string, unknown> | string, said: RegExp][] = [
    ['GET', '/scooters?area=-1', {}, /^area takes a number/],
    ['GET', '/scooters/', {}, /^id takes 1 to 64 letters/],
    ['GET', '/scooters/a%20b', {}, /^id takes 1 to 64 letters/],
    ['GET', '/scooters/4001?planId=', {}, /^planId takes 1 to 64 letters/],
    ['GET', '/scooters/4001?planId=_old', {}, /^planId takes the id of a plan/],
    ['GET', `/scooters/4001?queryTime=${'0'.repeat(65)}`, {}, /^queryTime takes a text/],
    ['POST', '/rents', { vehicleId: '4001' }, /^planId takes/],
    ['POST', '/rents', { vehicleId: '4001', planId: '_old' }, /^planId takes/],
    ['POST', '/rents', { vehicleId: 4001, planId: '571' }, /^vehicleId takes/],
    ['POST', '/rents', { vehicleId: '4001', planId: '571', queryTime: 1 }, /^queryTime takes a text/],
    ['POST', '/rents', '', /^vehicleId takes/],
    ['POST', '/rents', '{"vehicleId"', /^the body is not JSON$/],
    ['POST', '/rents', '[]', /^the body is no object$/],
    ['POST', '/rents', { planId: 'x'.repeat(16 * 1024) }, /^the body is longer than 16384 bytes$/],
    ['GET', '/parking-lots/a%20b', {}, /^id takes 1 to 64 letters/],
    ['PATCH', '/rents/r1', { step: 'pay' }, /^step takes/],
    ['PATCH', `/rents/${'r'.repeat(1000)}`, { step: 'start' }, /^id takes 1 to 64 letters/],
  ];
  for (const [method, path, body, message] of cases) {
    const answer = await ask(method, path, body);
    assert.equal(answer.status, 400, path);
    assert.match(answer.body.error, message, path);
  }
  assert.match((await ask('GET', '/scooters', {}, 0, '')).body.error, /^x-user-id takes/);
  assert.match((await ask('GET', '/scooters', {}, 0, 'ann', '3,admin')).body.error, /^x-role-ids takes numbers/);
});

test('there is nothing beside the screens', async () => {
  const nothing = { status: 404, body: { error: 'there is nothing here' } };
  assert.deepEqual(await ask('GET', '/nothing'), nothing);
  assert.deepEqual(await ask('GET', '/scooters/4001/price'), nothing);
  assert.deepEqual(await ask('POST', '/scooters/4001'), nothing);
  assert.deepEqual(await ask('PATCH', '/rents'), nothing);
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

test('a pod that dies while it asks delays the others, and no more', async () => {
  const { queryTime } = (await ask('GET', '/scooters/4001')).body;
  const table = `hermes:tags:{${queryTime}}:3`;
  const claimed = await redis.call('VEHPRICE.CLAIM', table, 'PX', 2000, 'JSON', 'IDS', '4002');
  assert.match(String(claimed), /"claimed":\["4002"\]/);
  const [one, other] = await Promise.all([1, 2].map((pod) => ask('GET', '/scooters/4002', {}, pod)));
  assert.equal(one?.status, 200);
  assert.deepEqual(one, other);
});

test('a vehicle that upstream does not know is asked for once, by all pods', async () => {
  await ask('GET', '/scooters/4001');
  const before = upstream.calls;
  for (const pod of [0, 1, 2, 3, 0]) {
    assert.deepEqual(await ask('GET', '/scooters/4999', {}, pod), { status: 404, body: { error: 'there is no scooter 4999' } });
  }
  assert.equal(upstream.calls - before, 1);
});

test('reserving says whether the vehicle has what the user saw', async () => {
  const page: Quote = (await ask('GET', '/scooters/4001')).body;
  const { queryTime, scooters } = page;
  const [plan] = priceOf(page, '4001');
  const pricingId = scooters[0]?.pricingId ?? '';
  const order = { vehicleId: '4001', planId: plan.planId, queryTime, pricingId };
  const table = `hermes:tags:{${queryTime}}:3`;
  const other = pricingId === '100' ? '101' : '100';

  const reserved = await ask('POST', '/rents', order);
  assert.deepEqual([reserved.status, reserved.body.verdict, reserved.body.rule], [201, 'Match', plan]);
  await redis.config('RESETSTAT');
  const misread = await ask('POST', '/rents', { ...order, pricingId: other }, 1);
  assert.match(await redis.info('commandstats'), /cmdstat_vehprice\.verify:calls=1/);
  assert.deepEqual([misread.status, misread.body.verdict, misread.body.quote.newQuote], [409, 'Changed', true]);
  assert.deepEqual(priceOf(misread.body.quote, '4001')[0], plan);

  await redis.call('VEHPRICE.SET', table, '4001', 'KEEPTTL', 'FIELDS', 2, 'styleId', '10', 'pricingId', other);
  const changed = await ask('POST', '/rents', order, 2);
  assert.deepEqual([changed.status, changed.body.verdict], [409, 'Changed']);
  assert.equal(changed.body.quote.scooters[0].pricingId, other);

  await redis.del(table);
  assert.equal((await ask('POST', '/rents', order, 3)).body.verdict, 'Match', 'what is gone is asked for again');
  await moveOn(5000);
  const moved = await ask('POST', '/rents', order);
  assert.deepEqual([moved.status, moved.body.verdict, moved.body.quote.newQuote], [409, 'NewQuote', true]);
});

test('where upstream does not answer, nothing is answered and nothing is kept', async () => {
  upstream.faults = { ...NO_FAULTS, failShare: 1 };
  try {
    const answer = await ask('GET', '/scooters/4001');
    assert.deepEqual(answer, { status: 503, body: { error: 'no price can be had now, ask again' } });
  } finally {
    upstream.faults = NO_FAULTS;
  }
  assert.deepEqual(await redis.keys('hermes:tags:*'), []);
  assert.equal((await ask('GET', '/scooters/4001')).status, 200);
  assert.equal((await ask('GET', '/scooters/4999')).status, 404);
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

test('while Redis is down a screen goes on with upstream, and says so', async () => {
  const own = new Stage();
  const server = await startRedis(own, timing);
  const impatient = connect({ port: server.port }, { maxRetriesPerRequest: 1, commandTimeout: 300 });
  const changes: boolean[] = [];
  const outage = new Outage({ pauseMs: 200, onChange: (isOn) => changes.push(isOn) });
  class Locks extends LockedQuoteInfo {}
  Locks.bind(impatient);
  const store = new QuotelockStore(impatient, timing, outage, COPY_BYTES, new Locks());
  const quotes = new Quotes(store, clients[0] as UpstreamClient, '3');
  const pod = jsonServer('pod-0');
  addScreens(pod, new Fleet(400), () => ({ quotes, rents: new Rents(quotes, store.rents), upstream: quotes.upstream }));
  pods = [pod];
  try {
    await impatient.set(TOGGLE, '2');
    const map: Quote = (await ask('GET', '/scooters?area=0')).body;
    assert.deepEqual([map.unlocked, map.pricing], [false, 'Core']);
    const seen = `queryTime=${map.queryTime}&planId=571`;
    for (const failure of ['SIGSTOP', 'SIGKILL'] as const) {
      server.child.kill(failure);
      const page: Quote = (await ask('GET', `/scooters/4001?${seen}`)).body;
      assert.deepEqual([page.unlocked, page.newQuote, page.queryTime], [true, false, map.queryTime], failure);
      assert.deepEqual(priceOf(page, '4001'), priceOf(map, '4001'), 'the price that was seen, as the roles are the same');
      const first: Quote = (await ask('GET', '/scooters', {}, 0, 'bob')).body;
      assert.deepEqual([first.unlocked, first.pricing, first.scooters.length], [true, 'Core', 400], failure);
      const order = { vehicleId: '4001', planId: '571', queryTime: map.queryTime };
      const refused = await ask('POST', '/rents', order);
      assert.deepEqual(refused, { status: 503, body: { error: 'no rent can be kept now, ask again' } }, failure);
    }
    await startRedis(own, timing, { port: server.port });
    for (const since = Date.now(); outage.isOn && Date.now() - since < 5000; await sleep(50)) await ask('GET', '/scooters/4001');
    const again: Quote = (await ask('GET', `/scooters/4001?${seen}`)).body;
    assert.deepEqual([again.unlocked, again.state], [false, 'Effective']);
    assert.deepEqual(changes, [true, false]);
  } finally {
    impatient.disconnect();
    await own.stop();
  }
});
