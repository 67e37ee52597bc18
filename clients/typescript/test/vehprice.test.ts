import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { VehPrice } from 'quotelock';

import { key, plainRedis, throughEachDriver } from './harness.js';

const redis = plainRedis();

describe('VehPrice', () => {
  throughEachDriver((driver) => {
    const prices = () => new VehPrice(driver());
    const filled = async () => {
      const table = key('table');
      const rows = new Map([
        ['4711', { styleId: '12', pricingId: '571' }],
        ['4712', { styleId: '12', pricingId: '{"a":[1]}' }],
        ['é\n"', { styleId: '', pricingId: '580' }],
      ]);
      assert.equal(await prices().mset(table, ['styleId', 'pricingId'], rows, { expiry: { inMs: 100_000 } }), 3);
      return table;
    };

    it('reads rows', async () => {
      const table = await filled();
      assert.deepEqual(await prices().get(table, 4711), { styleId: '12', pricingId: '571' });
      assert.equal(await prices().get(table, '1'), null);
      assert.deepEqual(await prices().mget(table, ['4711', '1', 'é\n"', 4711]), [
        { styleId: '12', pricingId: '571' },
        null,
        { styleId: '', pricingId: '580' },
        { styleId: '12', pricingId: '571' },
      ]);
      const some = { fields: ['pricingId', 'other'], raw: ['pricingId'] } as const;
      assert.deepEqual(await prices().mget(table, ['4712', '1'], some), [{ pricingId: { a: [1] }, other: null }, null]);
      assert.deepEqual(await prices().get(table, '4712', { raw: ['pricingId'] }), { styleId: '12', pricingId: { a: [1] } });
      assert.deepEqual(await prices().getAll(table, { fields: ['styleId'] }), {
        '4711': { styleId: '12' },
        '4712': { styleId: '12' },
        'é\n"': { styleId: '' },
      });
      assert.deepEqual(await prices().getAll(key()), {});
      assert.deepEqual(await prices().mget(table, []), []);
    });

    it('tells what has changed', async () => {
      const table = key('table');
      const at = Date.now() + 50_000;
      await prices().mset(
        table,
        ['a', 'b'],
        [
          [1, { a: 'x', b: 'y' }],
          [2, { a: 'z' }],
        ],
        { expiry: { at } },
      );
      const first = await prices().changes(table, '0', { fields: ['b'] });
      assert.equal(first.whole, true);
      const rows = first.groups.flatMap(({ expiresAt, fields, ids, columns }) => {
        assert.deepEqual([expiresAt, fields, columns.length], [at, ['b'], 1]);
        return ids.map((id, place) => [id, columns[0]?.[place]]);
      });
      assert.deepEqual(
        [rows.sort(), first.deleted],
        [
          [
            ['1', 'y'],
            ['2', null],
          ],
          [],
        ],
      );
      const none = { ...first, whole: false, groups: [] };
      const second = await prices().changes(table, first.revision);
      assert.deepEqual(second, { ...none, now: second.now });
      assert.ok(second.now >= first.now && second.now < at);
      await prices().del(table, [1]);
      const third = await prices().changes(table, second.revision);
      assert.deepEqual([third.whole, third.deleted], [false, ['1']]);
      const gone = await prices().changes(key(), third.revision);
      assert.deepEqual(gone, { ...none, revision: '0', whole: true, now: gone.now });
    });

    it('goes through a table in steps', async () => {
      const table = key('table');
      const rows = Array.from({ length: 500 }, (_, id) => [id, { a: id }] as const);
      assert.equal(await prices().mset(table, ['a'], rows), 500);
      const found = new Map<string, string | null>();
      for await (const [id, { a }] of prices().scan(table, { fields: ['a'], count: 50 })) found.set(id, a);
      assert.equal(found.size, 500);
      assert.ok([...found].every(([id, a]) => id === a));
      for await (const _ of prices().scan(key())) assert.fail('no table has a row');
    });

    it('writes rows on conditions', async () => {
      const table = key('table');
      assert.equal(await prices().set(table, 1, { a: 'x' }), true);
      assert.equal(await prices().set(table, 1, { a: 'y' }, { condition: 'NX' }), false);
      assert.equal(await prices().set(table, 2, { a: 'y' }, { condition: 'XX' }), false);
      assert.equal(await prices().set(table, 1, { b: 7 }, { merge: true }), true);
      assert.deepEqual(await prices().get(table, 1), { a: 'x', b: '7' });
      assert.equal(
        await prices().mset(
          table,
          ['a'],
          [
            ['1', { a: 'z' }],
            ['2', { a: 'z' }],
          ],
          { condition: 'NX' },
        ),
        1,
      );
      assert.equal(await prices().mset(table, ['a'], []), 0);
      assert.equal(await prices().del(table, [1, 2, 3]), 2);
      assert.equal(await prices().del(table, []), 0);
      await prices().set(table, 1, { a: 'x' });
      assert.equal(await prices().clear(table), true);
      assert.equal(await prices().clear(table), false);
    });

    it('gives rows an expiry', async () => {
      const table = key('table');
      const at = Date.now() + 50_000;
      await prices().set(table, 'in', { a: 1 }, { expiry: { inMs: 50_000 } });
      await prices().set(table, 'at', { a: 1 }, { expiry: { at } });
      await prices().set(table, 'date', { a: 1 }, { expiry: { at: new Date(at) } });
      await prices().set(table, 'date', { a: 2 }, { expiry: 'keep' });
      await prices().set(table, 'settings', { a: 1 });
      const [inMs, atMs, date, settings, none] = await prices().pttl(table, ['in', 'at', 'date', 'settings', 'none']);
      for (const left of [inMs, atMs, date]) assert.ok(left !== undefined && left > 30_000 && left <= 50_000, String(left));
      assert.ok(settings !== undefined && settings > 60_000, String(settings));
      assert.equal(none, -2);
      assert.equal(await prices().len(table), 4);
      const kept = key('kept');
      await prices().set(kept, 1, { a: 1 }, { expiry: 'never' });
      assert.deepEqual(await prices().pttl(kept, [1]), [-1]);
      const info = await prices().info(table);
      assert.deepEqual([info?.rows, info?.fields, info?.earliestExpiry], [4, 1, info && Math.min(at, info.earliestExpiry ?? 0)]);
      assert.ok(info && info.bytes > 0 && (info.latestExpiry ?? 0) > at);
      assert.equal(await prices().set(table, 'past', { a: 1 }, { expiry: { at: 1 } }), false);
      assert.equal(await prices().info(key()), null);
      assert.deepEqual(await prices().pttl(table, []), []);
    });

    it('verifies', async () => {
      const table = await filled();
      const row = { styleId: '12', pricingId: '571' };
      assert.deepEqual(await prices().verify(table, '4711', { pricingId: 571 }), { verdict: 'Match', row });
      assert.deepEqual(await prices().verify(table, '4711', { ...row, other: '' }), { verdict: 'Changed', row });
      assert.deepEqual(await prices().verify(table, '1', row), { verdict: 'Missing', row: null });
    });

    it('reads the hashes of old pods', async () => {
      const [one, two] = [key('{hash}'), key('{hash}')];
      await redis.hset(one, { styleId: '12', pricingId: '571' });
      assert.deepEqual(await prices().mgetHash([one, two, one]), [
        { styleId: '12', pricingId: '571' },
        null,
        { styleId: '12', pricingId: '571' },
      ]);
      assert.deepEqual(await prices().mgetHash([]), []);
    });

    it('lets one of many fetch what is missing', async () => {
      const table = await filled();
      const row = { styleId: '12', pricingId: '571' };
      const mine = await prices().claim(table, ['4711', '1', '2'], { ttlMs: 60_000 });
      assert.match(mine.token ?? '', /^[0-9a-f]{32}$/);
      assert.deepEqual({ ...mine, token: null }, { token: null, rows: [row, null, null], claimed: ['1', '2'], pending: [] });
      const theirs = await prices().claim(table, ['4711', '1', '3', '4'], { ttlMs: 60_000, limit: 1, fields: ['styleId'] });
      assert.deepEqual([theirs.rows[0], theirs.claimed, theirs.pending], [{ styleId: '12' }, ['3'], ['1']]);
      const token = mine.token ?? '';
      assert.equal(await prices().set(table, '3', { styleId: '1' }, { token }), false);
      assert.equal(await prices().set(table, '1', { styleId: '1' }, { token, keepClaim: true, merge: true }), true);
      assert.equal(await prices().mset(table, ['pricingId'], [['1', { pricingId: 5 }]], { token, merge: true }), 1);
      assert.deepEqual(await prices().get(table, '1'), { styleId: '1', pricingId: '5' });
      assert.equal(await prices().release(table, token, ['1', '2']), 1);
      assert.equal(await prices().release(table, theirs.token ?? ''), 1);
      assert.equal((await prices().claim(table, ['4711'], { ttlMs: 1000 })).token, null);
      const early = await prices().claim(table, ['4711'], { ttlMs: 1000, refreshMs: 200_000 });
      assert.deepEqual([early.rows, early.claimed], [[row], ['4711']]);
      assert.deepEqual(await prices().claim(table, [], { ttlMs: 1 }), { token: null, rows: [], claimed: [], pending: [] });
    });

    it('waits for who is fetching', async () => {
      const table = await filled();
      const other = new VehPrice(redis);
      const { token } = await other.claim(table, ['1'], { ttlMs: 60_000 });
      const before = Date.now();
      assert.deepEqual(await prices().mget(table, ['1'], { blockMs: 50 }), [null]);
      assert.ok(Date.now() - before >= 49);
      const waiting = prices().mget(table, ['1'], { fields: ['a'], blockMs: 15_000 });
      await other.set(table, '1', { a: 'x' }, { token: token ?? '' });
      assert.deepEqual(await waiting, [{ a: 'x' }]);
    });
  });
});
