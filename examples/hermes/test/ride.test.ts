import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { KEY, TOGGLE, ask, book, pods, priceOf, redis, upstream } from './pods.js';

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
