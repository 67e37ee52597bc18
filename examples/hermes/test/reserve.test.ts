import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Quote } from '../service/quotes.js';
import { KEY, ask, moveOn, priceOf, redis } from './pods.js';

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
