import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Quote } from '../service/quotes.js';
import { KEY, ask, redis, upstream } from './pods.js';

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
