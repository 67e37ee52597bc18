import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Quote } from '../service/quotes.js';
import { ask, asked, book, redis, upstream } from './pods.js';

test("a vehicle's page asks for its row, and brings no copy of the table", async () => {
  await ask('GET', '/scooters', {}, 2);
  await redis.config('RESETSTAT');
  assert.equal((await ask('GET', '/scooters/4001', {}, 0)).status, 200);
  assert.deepEqual(await asked(), [0, 2, 0]);
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
