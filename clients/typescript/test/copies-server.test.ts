// Copies of tables on a server: what they answer is what a read of the table does, whatever was done to it before.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Driver, PriceTableCopies, VehPrice } from 'quotelock';

import { key, plainRedis, throughEachDriver } from './harness.js';

const redis = plainRedis();
const fields = ['a', 'b'] as const;

/** A driver that notes the revision each request is since, and what it brings. */
function noted(driver: Driver) {
  const requests: { whole: boolean; rows: number; deleted: number }[] = [];
  const prices = new VehPrice(driver);
  const send = async ([, key = '', revision = '']: string[]) => {
    const changes = await prices.changes(key, revision, { fields });
    const rows = changes.groups.reduce((sum, { ids }) => sum + ids.length, 0);
    requests.push({ whole: changes.whole, rows, deleted: changes.deleted.length });
    return JSON.stringify(changes);
  };
  return { requests, send };
}

/** Rows as a text, which is compared faster. */
function sorted(rows: [id: string, row: unknown][]): string {
  return rows
    .map((row) => JSON.stringify(row))
    .sort()
    .join('\n');
}

function numbered(from: number, to: number, a = 'x'): [number, { a: string }][] {
  return Array.from({ length: to - from }, (_, at) => [from + at, { a }]);
}

describe('PriceTableCopies', () => {
  throughEachDriver((driver) => {
    const prices = () => new VehPrice(driver());

    it('answer what the table has', async () => {
      const table = key('table');
      const copies = new PriceTableCopies(driver(), { maxBytes: 1e6 });
      const some = new PriceTableCopies(driver(), { maxBytes: 1e6, fields: ['b', 'none'] }).of(table);
      const copy = copies.of(table);
      assert.deepEqual([await copy.row(1), (await copy.all()).size, copies.bytes], [null, 0, 0]);
      await prices().mset(table, null, [
        [1, { a: 'x', b: 'é\n"' }],
        ['__proto__', { b: '', __proto__: null }],
      ]);
      assert.deepEqual(await copy.rows([1, '__proto__', 2, '1']), [
        { a: 'x', b: 'é\n"' },
        { b: '' },
        null,
        { a: 'x', b: 'é\n"' },
      ]);
      assert.deepEqual(await some.rows([1]), [{ b: 'é\n"', none: null }]);
      assert.deepEqual(Object.fromEntries(await copy.all()), await prices().getAll(table));
      // What is written before a call is in its answer.
      for (let round = 0; round < 20; round += 1) {
        await prices().set(table, 1, { a: round }, { merge: true });
        assert.deepEqual(await copy.row(1), { a: String(round), b: 'é\n"' });
      }
      await prices().clear(table);
      assert.deepEqual([await copy.row(1), (await copy.all()).size, copies.bytes], [null, 0, 0]);
    });

    it('are brought up to date by what has changed', async () => {
      const table = key('table');
      const { requests, send } = noted(driver());
      const copy = new PriceTableCopies(send, { maxBytes: 1e7, fields }).of(table);
      const size = async () => (await copy.all()).size;
      const last = () => requests.at(-1);
      await prices().mset(table, fields, numbered(0, 3000));
      assert.equal(await size(), 3000);
      assert.deepEqual(last(), { whole: true, rows: 3000, deleted: 0 });
      assert.equal(await size(), 3000);
      assert.deepEqual(last(), { whole: false, rows: 0, deleted: 0 });
      await prices().mset(table, fields, numbered(5, 6, 'y'));
      assert.deepEqual(await copy.rows([4, 5]), [
        { a: 'x', b: null },
        { a: 'y', b: null },
      ]);
      assert.ok(last()?.whole === false && (last()?.rows ?? 0) < 100);
      const ids = (from: number, to: number) => numbered(from, to).map(([id]) => id);
      await prices().del(table, ids(0, 1024));
      assert.equal(await size(), 1976);
      assert.deepEqual([last()?.whole, last()?.deleted], [false, 1024]);
      // More than the server remembers.
      await prices().del(table, ids(1024, 2100));
      assert.deepEqual(await copy.rows([1024, 2099, 2100]), [null, null, { a: 'x', b: null }]);
      assert.equal(last()?.whole, true);
      assert.equal(await size(), 900);
    });

    it('leave out what has expired', async () => {
      const table = key('table');
      const copy = new PriceTableCopies(driver(), { maxBytes: 1e6 }).of(table);
      const final = new PriceTableCopies(driver(), { maxBytes: 1e6, final: true }).of(table);
      const at = Date.now() + 300;
      await prices().mset(table, ['a'], numbered(0, 50), { expiry: { at } });
      await prices().mset(table, ['a'], numbered(50, 60), { expiry: { inMs: 60_000 } });
      const sizes = [(await copy.all()).size, (await final.all()).size];
      if (Date.now() < at) assert.deepEqual(sizes, [60, 60]);
      await sleep(at - Date.now() + 5);
      assert.deepEqual(await copy.rows([0, 50]), [null, { a: 'x' }]);
      assert.deepEqual(await final.rows([0, 50]), [null, { a: 'x' }]);
      assert.deepEqual([...(await copy.all()).keys()].sort(), Object.keys(await prices().getAll(table)).sort());
    });

    it('go and come again where there is little room', async () => {
      const copies = new PriceTableCopies(driver(), { maxBytes: 100_000 });
      const tables = Array.from({ length: 12 }, () => key('table'));
      for (const table of tables) await prices().mset(table, ['a'], numbered(0, 200, table));
      for (let round = 0; round < 3; round += 1) {
        const read = tables.map(async (table) => {
          for (const row of await copies.of(table).rows([0, 7, 199])) assert.deepEqual(row, { a: table });
        });
        await Promise.all(read);
        assert.ok(copies.bytes > 50_000 && copies.bytes <= 100_000, String(copies.bytes));
      }
      for (const table of tables) await prices().clear(table);
      for (const table of tables) assert.equal(await copies.of(table).row(0), null);
      assert.equal(copies.bytes, 0);
    });
  });

  it('go with claims: what the copy lacks is claimed', async () => {
    const table = key('table');
    const prices = new VehPrice(redis);
    const ids = numbered(0, 100).map(([id]) => String(id));
    let asked = 0;
    const pod = async () => {
      const copy = new PriceTableCopies(redis, { maxBytes: 1e6, fields: ['a'], final: true }).of(table);
      const waiting = redis.duplicate();
      for (;;) {
        const rows = await copy.rows(ids);
        const missing = ids.filter((_, at) => !rows[at]);
        if (!missing.length) {
          waiting.disconnect();
          return rows;
        }
        const { token, claimed, pending } = await prices.claim(table, missing, { ttlMs: 5000, fields: ['a'] });
        asked += claimed.length;
        if (token)
          await prices.mset(
            table,
            ['a'],
            claimed.map((id) => [id, { a: id }] as const),
            { token },
          );
        else if (pending.length) await new VehPrice(waiting).mget(table, pending, { fields: ['a'], blockMs: 5000 });
      }
    };
    const seen = await Promise.all(Array.from({ length: 5 }, pod));
    for (const rows of seen)
      assert.deepEqual(
        rows,
        ids.map((a) => ({ a })),
      );
    assert.equal(asked, 100);
  });

  it('equal the table after any steps', async () => {
    const [table, other] = [key('{random}'), key('{random}')];
    const prices = new VehPrice(redis);
    const seed = Number(process.env['QUOTELOCK_SEED'] ?? 20240912);
    let state = seed;
    const dice = (sides: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.trunc((state / 2 ** 32) * sides);
    };
    const id = () => (dice(4) ? `${dice(300)}` : `odd ${dice(20)} __proto__`);
    const expiry = () => [{ inMs: 1 + dice(30) }, { inMs: 1 + dice(300) }, { inMs: 60_000 }][dice(3)] ?? 'keep';
    const some = () => Array.from({ length: 1 + dice(1 + dice(60)) }, id);
    const row = () => Object.fromEntries(['a', 'b', 'c'].slice(dice(3)).map((field) => [field, `${dice(50)}`]));
    const steps: [number, () => Promise<unknown>][] = [
      [
        30,
        () =>
          prices.mset(
            table,
            null,
            some().map((id) => [id, row()] as const),
            { expiry: expiry() },
          ),
      ],
      [
        10,
        () =>
          prices.mset(
            table,
            null,
            some().map((id) => [id, row()] as const),
            { condition: dice(2) ? 'NX' : 'XX' },
          ),
      ],
      [
        10,
        () =>
          prices.mset(
            table,
            null,
            some().map((id) => [id, row()] as const),
            { merge: true },
          ),
      ],
      [25, () => prices.del(table, some())],
      [5, () => sleep(dice(20))],
      [1, () => prices.mset(table, ['a'], numbered(0, 1500), { expiry: { inMs: 50 } })],
      [
        1,
        () =>
          prices.del(
            table,
            numbered(0, 1500).map(([id]) => id),
          ),
      ],
      [1, () => prices.clear(table)],
      [1, () => redis.copy(table, other)],
      [1, async () => (await redis.exists(other)) && redis.rename(other, table)],
    ];
    const wheel = steps.flatMap(([weight, step]) => Array<typeof step>(weight).fill(step));

    // In a script time stands still: so both have the same instant.
    let told = '';
    const script = "return {redis.call(unpack(ARGV)), redis.call('VEHPRICE.GETALL', ARGV[2], unpack(ARGV, 4))}";
    const driver = async (words: string[]) => {
      const [changes, all] = (await redis.eval(script, 1, table, ...words)) as [string, string];
      told = all;
      return changes;
    };
    const whole = new PriceTableCopies(driver, { maxBytes: 1e8 }).of(table);
    const projected = new PriceTableCopies(driver, { maxBytes: 1e8, fields: ['c', 'a', 'none'] }).of(table);
    const tight = new PriceTableCopies(driver, { maxBytes: 30_000, fields: ['b'] }).of(table);
    const copies = [whole, projected, tight, whole, whole];
    for (let count = 0; count < 4000; count += 1) {
      await wheel[dice(wheel.length)]?.();
      const copy = copies[dice(copies.length)];
      if (dice(3) === 0 || !copy) continue;
      const all = await copy.all();
      const expected = Object.entries(JSON.parse(told) as object);
      assert.equal(sorted([...all]), sorted(expected), `seed ${seed}, step ${count}`);
      const ids = some();
      const rows = await copy.rows(ids);
      const now = new Map(Object.entries(JSON.parse(told) as object));
      assert.deepEqual(
        rows,
        ids.map((id) => now.get(id) ?? null),
        `seed ${seed}, step ${count}`,
      );
    }
  });
});
