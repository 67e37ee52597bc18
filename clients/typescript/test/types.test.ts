// What the compiler is to accept and to refuse. It is checked when the tests are built.
import assert from 'node:assert/strict';
import { it } from 'node:test';

import { Cluster, Redis } from 'ioredis';
import type * as ioredis6 from 'ioredis-6';
import {
  type Answer,
  type Driver,
  type Outcome,
  type PriceTable,
  PriceTableCopies,
  type PriceTableCopy,
  PriceTables,
  type Route,
  type State,
  VehPrice,
} from 'quotelock';
import { createClient, createClientPool, createCluster } from 'redis';
import type * as nodeRedis6 from 'redis-6';

/** Compiles only if both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<_ extends true>(): void {}

same<Same<State, 'Effective' | 'CloseToExpired'>>();
same<Same<Outcome, 'Created' | 'Refreshed' | 'Held'>>();
same<Same<Route, 'Legacy' | 'Core' | 'Retired'>>();
same<Same<Answer<never, never>, Record<string, string>>>();
same<Same<Answer<never, 'plan'>, Record<string, unknown>>>();
same<Same<Answer<'a' | 'plan', 'plan'>, { a: string | null; plan: unknown }>>();

/** Compiled and never called. */
export async function compiled(prices: VehPrice): Promise<void> {
  const whole = await prices.get('t', '1');
  same<Same<typeof whole, Record<string, string> | null>>();
  const [row] = await prices.mget('t', ['1'], { fields: ['styleId', 'plan:571'], raw: ['plan:571'] });
  same<Same<typeof row, { styleId: string | null; 'plan:571': unknown } | null | undefined>>();
  // @ts-expect-error a field that was not asked for
  void row?.pricingId;
  // @ts-expect-error two expiries
  await prices.set('t', '1', { a: 1 }, { expiry: { inMs: 1, at: 2 } });
  // @ts-expect-error no condition
  await prices.set('t', '1', { a: 1 }, { condition: 'nx' });
  // @ts-expect-error no driver
  new VehPrice({ get: () => '1' });
  // @ts-expect-error no client of ioredis, though it has a part of one
  new VehPrice({ call: async () => '1' });
}

/** Compiled and never called. */
export async function filled(driver: Driver, table: PriceTable): Promise<void> {
  const tables = new PriceTables(driver);
  const fields = ['styleId', 'pricingId'] as const;
  const known = async () => new Map([['1', { styleId: '12', pricingId: null }]]);
  const { rows } = await tables.getOrFill(table, ['1'], known, { fields });
  same<Same<typeof rows, (Readonly<{ styleId: string | null; pricingId: string | null }> | null)[]>>();
  const whole = await tables.getOrFill(table, ['1'], known);
  same<Same<typeof whole.rows, (Readonly<Record<string, string>> | null)[]>>();
  // @ts-expect-error rows of other fields
  await tables.getOrFill(table, ['1'], async () => new Map([['1', { price: '5' }]]), { fields });
  const copies = new PriceTableCopies(driver, { maxBytes: 1, fields });
  await tables.getOrFill(table, ['1'], known, { fields, copies });
  const others = new PriceTableCopies(driver, { maxBytes: 1, fields: ['price'] });
  // @ts-expect-error copies of other fields
  await tables.getOrFill(table, ['1'], known, { fields, copies: others });
}

/** Compiled and never called. */
export async function copied(driver: Driver): Promise<void> {
  const copies = new PriceTableCopies(driver, { maxBytes: 1, fields: ['styleId', 'plan:571'] });
  type Row = Readonly<{ styleId: string | null; 'plan:571': string | null }>;
  const copy: PriceTableCopy<'styleId' | 'plan:571'> = copies.of('t');
  const rows = await copy.rows(['1', 2]);
  same<Same<typeof rows, (Row | null)[]>>();
  const all = await copy.all();
  same<Same<typeof all, ReadonlyMap<string, Row>>>();
  const whole = await new PriceTableCopies(driver, { maxBytes: 1, final: true }).of('t').row(1);
  same<Same<typeof whole, Readonly<Record<string, string>> | null>>();
  // @ts-expect-error a row is shared
  if (rows[0]) rows[0].styleId = '12';
  // @ts-expect-error the same
  if (whole) whole['styleId'] = '12';
  // @ts-expect-error rows are shared
  all.set('1', rows[0]);
  // @ts-expect-error a field that is not copied
  void rows[0]?.pricingId;
  // @ts-expect-error no bound
  new PriceTableCopies(driver, { fields: ['styleId'] });
  // What is copied can be written.
  await new VehPrice(driver).mset('t', ['styleId', 'plan:571'], all);
}

/** Compiled and never called. */
export async function written(prices: VehPrice, ids: string[]): Promise<void> {
  const fields = ['a', 'b'] as const;
  await prices.mset(
    't',
    ['a', 'b'],
    [
      ['1', { a: '1', b: 2 }],
      ['2', { a: 1, b: '2' }],
    ],
  );
  await prices.mset(
    't',
    ['a', 'b'],
    [
      ['1', { a: '1' }],
      ['2', { a: null, b: '2' }],
      ['3', { a: undefined, b: 3 }],
    ],
  );
  await prices.mset('t', fields, new Map(ids.map((id) => [id, { b: id }])));
  await prices.mset('t', fields, new Map<string, { a: string } | { b: string }>());
  // More than the fields: of rows that have them all, and of rows that may lack some.
  await prices.mset('t', fields, new Map(ids.map((id) => [id, { a: id, b: id, c: true }])));
  await prices.mset('t', fields, new Map<string, { a?: string; b?: string; c: boolean }>());
  // What is read can be written.
  for (const row of await prices.mget('t', ids, { fields })) if (row) await prices.mset('t', fields, [['1', row]]);
  await prices.mset('t', fields, Object.entries(await prices.getAll('t')));
  await prices.mset('t', null, Object.entries(await prices.getAll('t')));
  await prices.mset(
    't',
    null,
    [
      ['1', { a: '1' }],
      ['2', { b: 2, c: null }],
    ],
    { condition: 'NX' },
  );
  // @ts-expect-error a field that is none of those named
  await prices.mset('t', ['a', 'b'], [['1', { a: '1', bb: '1' }]]);
  // @ts-expect-error the same in rows that were made before
  await prices.mset('t', fields, new Map(ids.map((id) => [id, { a: id, bb: id }])));
  // @ts-expect-error the same
  await prices.mset('t', fields, [['1', { a: '1', b: '1', bb: '1' }]]);
  // @ts-expect-error only fields that are none of those named
  await prices.mset('t', fields, [['1', { c: '1' }]]);
  // @ts-expect-error no value
  await prices.mset('t', fields, [['1', { a: true }]]);
  // @ts-expect-error no value
  await prices.mset('t', null, [['1', { a: true }]]);
  // @ts-expect-error no id
  await prices.mset('t', fields, [[null, { a: 1 }]]);
}

/** Compiled and never called: names that are not known here. */
export async function passedOn<F extends string>(
  prices: VehPrice,
  fields: F[],
  rows: Map<string, Record<F, string>>,
): Promise<void> {
  await prices.mset('t', fields, rows);
  await prices.mset<F>('t', fields, rows);
  same<Same<Awaited<ReturnType<typeof prices.mget<F>>>, (Answer<F, never> | null)[]>>();
}

/** Compiled and never called: 6 needs Node 20 or newer. */
export function newer({ Cluster, Redis }: typeof ioredis6, redis: typeof nodeRedis6): Driver[] {
  return [
    new Redis(),
    new Redis({ replyMapping: 'resp3' }),
    new Cluster([]),
    redis.createClient(),
    redis.createClient({ RESP: 2 }),
    redis.createClientPool(),
    redis.createCluster({ rootNodes: [] }),
  ];
}

it('takes every client of both drivers', () => {
  const drivers: Driver[] = [
    new Redis({ lazyConnect: true }),
    new Cluster(['redis://127.0.0.1:1'], { lazyConnect: true }),
    createClient(),
    createClient({ RESP: 3 }),
    createClientPool(),
    createCluster({ rootNodes: [] }),
    async (words, key, readOnly) => [words, key, readOnly],
  ];
  for (const driver of drivers) assert.ok(new VehPrice(driver));
});
