// Whether a vehicle can be reserved at what its user saw.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { type Lock, Outage, PriceTables, type Seen, Timing, VehPrice } from 'quotelock';

import { failureOf, key, plainRedis, throughEachDriver } from './harness.js';

const redis = plainRedis();
const prices = new VehPrice(redis);
const timing = new Timing({ ttlMs: 360_000, alignMs: 60_000, lagMs: 0 });
const fields = ['styleId', 'pricingId'] as const;

const queryTime = timing.momentAt(new Date());
const lock: Lock = { roleIds: ['3'], queryTime, state: 'Effective' };

/** It knows vehicle 2 alone. */
const fetch = async () => [['2', { styleId: '12', pricingId: '580' }]] as const;

describe('reserve', () => {
  throughEachDriver((driver, connect) => {
    it('answers Match, Changed and NewQuote', async () => {
      const name = key('prices');
      const table = (lock: Lock) => timing.table(lock, name, lock.roleIds);
      await prices.mset(table(lock).key, fields, [[1, { styleId: '12', pricingId: '571' }]]);
      const tables = new PriceTables(driver(), { connect });
      const reserve = (id: number, seen: Partial<Seen>, held: Lock | null | undefined = lock) =>
        tables.reserve(held, table, id, { queryTime, row: {}, ...seen }, fetch, { fields });
      const row = { styleId: '12', pricingId: '571' };
      const fetched = { styleId: '12', pricingId: '580' };
      const newQuote = { verdict: 'NewQuote', row: null, unlocked: false };
      assert.deepEqual(await reserve(1, { row: { pricingId: 571 } }), { verdict: 'Match', row, unlocked: false });
      assert.deepEqual(await reserve(1, { row }), { verdict: 'Match', row, unlocked: false });
      assert.deepEqual(await reserve(1, { row: { pricingId: '570' } }), { verdict: 'Changed', row, unlocked: false });
      assert.deepEqual(await reserve(1, { row: { styleId: '12', more: 'x' } }), { verdict: 'Changed', row, unlocked: false });
      // What a failover has lost is fetched again.
      assert.deepEqual(await reserve(2, { row: { pricingId: '580' } }), { verdict: 'Match', row: fetched, unlocked: false });
      assert.deepEqual(await prices.get(table(lock).key, 2), fetched);
      await prices.del(table(lock).key, [2]);
      assert.deepEqual(await reserve(2, { row: { pricingId: '570' } }), { verdict: 'Changed', row: fetched, unlocked: false });
      assert.deepEqual(await reserve(3, { row: { pricingId: '570' } }), newQuote);
      assert.deepEqual(await reserve(1, { row: { pricingId: 571 } }, null), newQuote);
      assert.deepEqual(await reserve(1, { row: { pricingId: 571 }, queryTime: undefined }), newQuote);
      assert.deepEqual(await reserve(1, { row: { pricingId: 571 }, queryTime: '2024-09-12T02:50:00.000Z' }), newQuote);
      tables.close();
    });
  });

  it('compares with what upstream answers where Redis is down', async () => {
    const down = async () => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    };
    const outage = new Outage();
    const tables = new PriceTables(down, { connect: () => down, outage, answerMs: 100 });
    const seen = { queryTime, row: { pricingId: '580' } };
    const held = timing.unlocked(['3'], { seen: queryTime });
    const row = { styleId: '12', pricingId: '580' };
    const moved = await tables.reserve(held, (lock) => timing.table(lock, 't'), 2, { ...seen, queryTime: undefined }, fetch);
    assert.deepEqual(moved, { verdict: 'NewQuote', row: null, unlocked: true });
    for (const one of [lock, held]) {
      const reserve = (id: number, pricingId: string) =>
        tables.reserve(one, (lock) => timing.table(lock, 't'), id, { ...seen, row: { pricingId } }, fetch, { fields });
      assert.deepEqual(await reserve(2, '580'), { verdict: 'Match', row, unlocked: true });
      assert.deepEqual(await reserve(2, '570'), { verdict: 'Changed', row, unlocked: true });
      assert.deepEqual(await reserve(3, '580'), { verdict: 'NewQuote', row: null, unlocked: true });
    }
  });

  it('refuses to match nothing', async () => {
    const tables = new PriceTables(redis);
    const reserve = (row: object) =>
      failureOf(tables.reserve(lock, (lock) => timing.table(lock, 't'), 1, { queryTime, row } as Seen, fetch));
    assert.equal((await reserve({})).message, 'reserve takes at least one field that was seen');
    assert.match(
      (await reserve({ pricingId: null })).message,
      /^reserve takes strings and numbers alone, field 'pricingId' is null$/,
    );
  });
});
