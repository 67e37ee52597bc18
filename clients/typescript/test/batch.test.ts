// Many rows in one argument, and answered by column: the same rows, value for value, as in any other form.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { VehPrice } from 'quotelock';

import { key, plainRedis, throughEachDriver } from './harness.js';

const redis = plainRedis();

/** What JSON, names of members and the wire could take for something else. */
const ODD = [
  '__proto__',
  'constructor',
  '7',
  '-0',
  '1e5',
  '"',
  '\\',
  '\n\r\0\u001f',
  'é',
  '\u2028',
  '🛵',
  'null',
  '[',
  '{"a":1}',
  ' ',
];

describe('many rows', () => {
  throughEachDriver((driver) => {
    const prices = () => new VehPrice(driver());

    it('are stored without what they lack', async () => {
      const table = key('table');
      const fields = ['styleId', 'pricingId'] as const;
      const rows = [
        [1, { styleId: '12', pricingId: '571' }],
        [2, { styleId: '13' }],
        [3, { styleId: undefined, pricingId: '' }],
        [4, { styleId: '14', pricingId: null }],
      ] as const;
      const expected = { '1': rows[0][1], '2': { styleId: '13' }, '3': { pricingId: '' }, '4': { styleId: '14' } };
      assert.equal(await prices().mset(table, fields, rows), 4);
      assert.deepEqual(await prices().getAll(table), expected);
      assert.deepEqual(await prices().mget(table, [4, 5, 3, 2], { fields }), [
        { styleId: '14', pricingId: null },
        null,
        { styleId: null, pricingId: '' },
        { styleId: '13', pricingId: null },
      ]);
      assert.equal(await prices().mset(table, fields, [[2, { pricingId: '580' }]], { merge: true }), 1);
      assert.deepEqual(await prices().get(table, 2), { styleId: '13', pricingId: '580' });

      const own = key('table');
      assert.equal(await prices().mset(own, null, [...rows, ['5', { planId: 571 }]]), 5);
      assert.deepEqual(await prices().getAll(own), { ...expected, '5': { planId: '571' } });
      assert.equal(await prices().mset(own, null, []), 0);
    });

    it('without any value are refused before anything is sent', async () => {
      const table = key('table');
      const message = "VEHPRICE.MSET takes rows of at least one value, row '4712' has none";
      for (const row of [{}, { a: undefined, b: null }]) {
        const rows = [['4711', { a: '1' }] as const, [4712, row] as const];
        await assert.rejects(prices().mset(table, ['a', 'b'], rows), { name: 'TypeError', message });
        await assert.rejects(prices().mset(table, null, rows), { name: 'TypeError', message });
      }
      await assert.rejects(prices().mset(table, [], [['4712', { a: '1' }]] as never), { name: 'TypeError', message });
      assert.equal(await prices().len(table), 0);
    });

    it('hold numbers as the text that JavaScript writes', async () => {
      const table = key('table');
      const numbers = [0, -0, 1.5, -7, 1e21, 5e-324, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY];
      const rows = numbers.map((value) => [value, { value }] as const);
      for (const fields of [['value'] as const, null]) {
        const ids = new Set(numbers.map(String));
        // 0 and -0 are one id.
        const stored = fields ? prices().mset(table, fields, rows) : prices().mset(table, null, rows);
        assert.equal(await stored, ids.size);
        const expected = numbers.map((value) => ({ value: String(value) }));
        assert.deepEqual(await prices().mget(table, numbers), expected);
        assert.deepEqual(await prices().mget(table, numbers, { fields: ['value'] }), expected);
        assert.deepEqual(new Set(Object.keys(await prices().getAll(table))), ids);
        await prices().clear(table);
      }
    });

    it('come back as they were, whatever their ids, fields and values are', async () => {
      const table = key('table');
      const row = JSON.parse(`{${ODD.map((field, at) => `${JSON.stringify(field)}:${JSON.stringify(ODD.at(-at))}`)}}`);
      const rows = ODD.map((id) => [id, row] as const);
      for (const fields of [ODD, null]) {
        const stored = fields ? prices().mset(table, fields, rows) : prices().mset(table, null, rows);
        assert.equal(await stored, ODD.length);
        for (const found of await prices().mget(table, ODD)) assert.deepEqual(found, row);
        for (const found of await prices().mget(table, ODD, { fields: ODD })) {
          assert.deepEqual(found, row);
          assert.deepEqual(Object.keys(found ?? {}), Object.keys(row));
        }
        const all = await prices().getAll(table, { fields: ['__proto__'] });
        assert.deepEqual(Object.keys(all).sort(), [...ODD].sort());
        assert.equal(Object.getPrototypeOf(all), Object.prototype);
        assert.equal(await prices().mset(table, ODD, Object.entries(await prices().getAll(table))), ODD.length);
        await prices().clear(table);
      }
      assert.equal(Object.getOwnPropertyDescriptor(Object.prototype, '__proto__')?.enumerable, false);
      assert.deepEqual(Object.keys(Object.prototype), []);
      // A missing field of that name is null as any other.
      await prices().set(table, 1, { a: 'x' });
      const [found] = await prices().mget(table, [1], { fields: ['__proto__', 'a'] });
      assert.equal(JSON.stringify(found), '{"__proto__":null,"a":"x"}');
      assert.equal(Object.getPrototypeOf(found), Object.prototype);
    });

    it('by column are those that JSON has', async () => {
      const table = key('table');
      const names = ['a', '2', 'b', '1'];
      const dice = (id: number, at: number) => (id * 2654435761 + at * 40503) >>> 7;
      const rows = Array.from({ length: 300 }, (_, id) => {
        const has = names.filter((_, at) => at === id % 4 || dice(id, at) % 3 === 0);
        return [id, Object.fromEntries(has.map((name) => [name, dice(id, 9) % 50]))] as const;
      });
      assert.equal(await prices().mset(table, names, rows), 300);
      const ids = Array.from({ length: 400 }, (_, at) => dice(at, 5) % 360);
      for (const fields of [['a'], ['2', 'a'], ['b', 'none', '1'], ['none'], [...names, 'none'], ['a', 'b', 'a']]) {
        const json = String(
          await redis.call('VEHPRICE.MGET', [table, 'FIELDS', fields.length, ...fields, 'JSON', 'IDS', ...ids]),
        );
        const found = await prices().mget(table, ids, { fields });
        assert.deepEqual(found, JSON.parse(json));
        assert.equal(JSON.stringify(found), JSON.stringify(JSON.parse(json)));
        const claim = await prices().claim(table, ids, { ttlMs: 1000, limit: 1, fields });
        assert.deepEqual(claim.rows, found);
        assert.equal(claim.claimed.length, 1);
        assert.deepEqual(Object.keys(claim), ['token', 'rows', 'claimed', 'pending']);
        await prices().release(table, claim.token ?? '');
      }
    });
  });

  it('go in one argument, with the options before them', async () => {
    const sent: string[][] = [];
    const prices = new VehPrice(async (words) => {
      sent.push(words);
      return words[0] === 'VEHPRICE.MSET' ? 1 : '{"rows":{"missing":[],"columns":[[]]},"missing":[0,1],"columns":[[null,null]]}';
    });
    await prices.mget('t', [1, 'b"'], { fields: ['a'], blockMs: 5 });
    await prices.claim('t', [1], { ttlMs: 1, token: '0'.repeat(32), limit: 2, fields: ['a'], raw: [] });
    await prices.mset('t', ['a', 'b'], [[1, { a: 2 }]], { condition: 'NX' });
    await prices.mset('t', null, new Map([['1', { a: 2, b: null }]]), { expiry: 'keep' });
    assert.deepEqual(sent, [
      ['VEHPRICE.MGET', 't', 'FIELDS', '1', 'a', 'COLUMNS', 'BLOCK', '5', 'LIST', '["1","b\\""]'],
      ['VEHPRICE.CLAIM', 't', 'PX', '1', 'TOKEN', '0'.repeat(32), 'LIMIT', '2', 'FIELDS', '1', 'a', 'COLUMNS', 'LIST', '["1"]'],
      ['VEHPRICE.MSET', 't', 'NX', 'COLUMNS', '{"ids":["1"],"fields":["a","b"],"columns":[["2"],[null]]}'],
      ['VEHPRICE.MSET', 't', 'KEEPTTL', 'JSON', '{"1":{"a":"2"}}'],
    ]);
  });
});
