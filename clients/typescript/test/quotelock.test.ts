import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { QuoteLock } from 'quotelock';

import { key, plainRedis, throughEachDriver } from './harness.js';

const redis = plainRedis();

describe('QuoteLock', () => {
  throughEachDriver((driver) => {
    const locks = () => new QuoteLock(driver());

    it('acquires, holds, reads and deletes', async () => {
      const user = key('user');
      assert.equal(await locks().get(user), null);
      const created = await locks().acquire(user, ['3', 7]);
      assert.deepEqual(Object.keys(created), ['roleIds', 'queryTime', 'state', 'outcome']);
      assert.deepEqual([created.roleIds, created.state, created.outcome], [['3', '7'], 'Effective', 'Created']);
      assert.ok(Math.abs(Date.parse(created.queryTime) - Date.now()) < 60_000);
      const { outcome, ...lock } = created;
      assert.deepEqual(await locks().acquire(user, ['9']), { ...lock, outcome: 'Held' });
      assert.deepEqual(await locks().get(user), lock);
      assert.equal(await locks().del(user, { ifEq: '2024-09-12T02:50:53.000Z' }), false);
      assert.equal(await locks().del(user, { ifEq: lock.queryTime }), true);
      assert.equal(await locks().del(user), false);
    });

    it('tells a state, at any moment', async () => {
      const user = key('user');
      const moment = new Date('2024-09-12T02:50:53.000Z');
      assert.equal(await locks().set(user, [], moment), true);
      const state = async (at?: string | Date) => (await locks().get(user, at === undefined ? {} : { at }))?.state;
      assert.equal(await state(), 'CloseToExpired');
      assert.equal(await state(moment), 'Effective');
      assert.equal(await state('2024-09-12T02:55:53.999Z'), 'Effective');
      assert.equal(await state('2024-09-12T02:55:54Z'), 'CloseToExpired');
      const renewed = await locks().acquire(user, ['é'], '*');
      assert.deepEqual([renewed.outcome, renewed.roleIds], ['Refreshed', ['é']]);
    });

    it('sends every option', async () => {
      const user = key('user');
      const options = { ttlMs: 50_000, bufferMs: 10_000, lagMs: 1000, alignSeconds: 5 };
      const closing = await locks().acquire(user, ['3'], '2024-09-12T02:50:53.000Z', { ttlMs: 50_000, bufferMs: 10_000 });
      assert.equal(closing.state, 'CloseToExpired');
      assert.equal((await locks().acquire(user, ['3'], '*', { ifMissing: true })).outcome, 'Held');
      const { queryTime, outcome } = await locks().acquire(user, ['3'], '*', options);
      assert.equal(outcome, 'Refreshed');
      assert.equal(Date.parse(queryTime) % 5000, 0);
      assert.ok(Date.now() - Date.parse(queryTime) >= 1000);
      const stored = JSON.parse((await redis.get(user)) ?? '');
      assert.deepEqual([stored.ttlMs, stored.bufferMs], [50_000, 10_000]);
      const left = await redis.pttl(user);
      assert.ok(left > 30_000 && left <= 50_000, String(left));
      assert.equal(await locks().set(user, ['4'], '*', { condition: 'NX' }), false);
      assert.equal(await locks().set(user, ['4'], '*', { condition: 'XX', ...options }), true);
      assert.deepEqual((await locks().get(user))?.roleIds, ['4']);
    });
  });
});
