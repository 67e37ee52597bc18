import assert from 'node:assert/strict';
import { test } from 'node:test';

import { TOGGLE, ask, moveOn, priceOf, redis } from './pods.js';

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
