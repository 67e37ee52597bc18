// The main README's way to refill a table comes to an end, whatever upstream does. Its program runs with it: ten pods.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Lock, VehPrice } from 'quotelock';

import { key, plainRedis } from './harness.js';
import { rowsOf } from './refill.js';

const redis = plainRedis();

/** A lock with a table of its own. */
function lock(): Lock {
  return { roleIds: [key('role')], queryTime: new Date().toISOString(), state: 'Effective' };
}

it('gives up on an id that upstream does not know', { timeout: 20_000 }, async () => {
  const prices = new VehPrice(redis);
  const asked: string[][] = [];
  const own = lock();
  const rows = await rowsOf({ prices, waiting: prices }, own, ['4711', '4799'], async (ids) => {
    asked.push(ids);
    return new Map(ids.includes('4711') ? [['4711', { price: '1.50' }]] : []);
  });
  assert.deepEqual(rows, [{ price: '1.50' }, null]);
  assert.deepEqual(asked, [['4711', '4799'], ['4799'], ['4799']]);
  const info = await prices.info(`hermes:prices:{${own.queryTime}}:${own.roleIds}`);
  assert.equal(info?.earliestExpiry, Date.parse(own.queryTime) + 422_000);
});

it('gives up on an upstream that answers after the claim has expired', { timeout: 20_000 }, async () => {
  const prices = new VehPrice(([command = '', ...args]) => {
    if (command === 'VEHPRICE.CLAIM') args[args.indexOf('PX') + 1] = '20';
    return redis.call(command, args);
  });
  let asked = 0;
  const rows = await rowsOf({ prices, waiting: prices }, lock(), ['4711'], async (ids) => {
    asked += 1;
    await sleep(60);
    return new Map(ids.map((id) => [id, { price: '1.50' }]));
  });
  assert.deepEqual([rows, asked], [[null], 3]);
});
