// The client against the module's table of commands, as the server tells it: neither lacks a command or a word.
import assert from 'node:assert/strict';
import { it } from 'node:test';

import { PricePlan, QuoteLock, VehPrice } from 'quotelock';

import { key, plainRedis } from './harness.js';

const redis = plainRedis();

/** The client counts in milliseconds; these words are the same in seconds. */
const IN_SECONDS = ['EX', 'EXAT', 'BUFFER'];

/** The client sends ids and rows in one argument; these words are for the same in many. */
const IN_MANY: Readonly<Record<string, readonly string[]>> = {
  'vehprice.mget': ['IDS'],
  'vehprice.claim': ['IDS'],
  'vehprice.mset': ['FIELDS', 'ROWS'],
  // `JSON.parse` makes the object of all rows faster.
  'vehprice.getall': ['COLUMNS'],
};

/** Every word of each command that was sent. */
const sent = new Map<string, Set<string>>();

function record(words: string[]): Promise<unknown> {
  const [command = '', ...args] = words;
  const known = sent.get(command) ?? new Set();
  // No name, id or value here is in capitals.
  for (const word of args) if (/^[A-Z]+$/.test(word)) known.add(word);
  sent.set(command, known);
  return redis.call(command, args);
}

const locks = new QuoteLock(record);
const prices = new VehPrice(record);
const lock = { ttlMs: 9000, bufferMs: 1000, lagMs: 0, alignSeconds: 1 };
const all = { fields: ['a', 'b'], raw: ['b'] };
const [user, table] = [key('user'), key('table')];
const plans = new PricePlan(record, key('toggle'));

/** Every call with every option, each at least once. */
const CALLS: (() => Promise<unknown>)[] = [
  () => locks.set(user, ['3'], '*', { ...lock, condition: 'NX' }),
  () => locks.set(user, ['3'], '*', { condition: 'XX' }),
  () => locks.get(user, { at: new Date() }),
  () => locks.acquire(user, ['3'], '*', { ...lock, ifMissing: true }),
  () => locks.del(user, { ifEq: 'x' }),
  () => prices.set(table, 1, { a: 1 }, { condition: 'NX', merge: true, expiry: { inMs: 1000 } }),
  () => prices.set(table, 1, { a: 1 }, { condition: 'XX', expiry: 'keep' }),
  () => prices.set(table, 1, { a: 1 }, { expiry: { at: new Date(9e12) } }),
  () => prices.set(table, 1, { a: 1 }, { expiry: 'never' }),
  () => prices.mset(table, ['a'], [[1, { a: 1 }]], { condition: 'NX', merge: true, expiry: { inMs: 1000 } }),
  () => prices.mset(table, ['a'], [[1, { a: 1 }]], { condition: 'XX', expiry: 'keep' }),
  () => prices.mset(table, ['a'], [[1, { a: 1 }]], { expiry: { at: 9e12 } }),
  () => prices.mset(table, ['a'], [[1, { a: 1 }]], { expiry: 'never' }),
  () => prices.mset(table, null, [[1, { a: 1 }]]),
  () => prices.get(table, 1, all),
  () => prices.mget(table, [1], all),
  () => prices.mget(table, [1], { fields: ['a'] }),
  () => prices.getAll(table, all),
  () => prices.getAll(table, { fields: ['a'] }),
  () => prices.changes(table, '0', { fields: ['a'] }),
  () => prices.scan(table, { fields: ['a'], count: 5 }).next(),
  () => prices.len(table),
  () => prices.pttl(table, [1]),
  () => prices.verify(table, 1, { a: 1 }),
  () => prices.info(table),
  () => prices.mgetHash([key()]),
  () => prices.del(table, [1]),
  () => prices.clear(table),
  () => plans.tag([571]),
  () => plans.route([571]),
  () => prices.claim(table, [1], { ttlMs: 1000, token: '1'.repeat(32), limit: 1, refreshMs: 1, ...all }),
  () => prices.claim(table, [1], { ttlMs: 1000, fields: ['a'] }),
  () => prices.release(table, '0'.repeat(32), [1]),
  () => prices.set(table, 1, { a: 1 }, { token: '0'.repeat(32), keepClaim: true }),
  () => prices.mset(table, ['a'], [[1, { a: 1 }]], { token: '0'.repeat(32), keepClaim: true }),
  () => prices.mget(table, [1], { blockMs: 1 }),
];

/** Names and values in turn, by name. */
function told(reply: unknown): Map<unknown, unknown> {
  const flat = reply as unknown[];
  return new Map(flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1]] as const] : [])));
}

/** The words in what the server tells of a command's arguments. */
function wordsOf(args: unknown): string[] {
  return (args as unknown[]).map(told).flatMap((arg) => {
    const own = arg.has('token') ? [String(arg.get('token'))] : [];
    return [...own, ...wordsOf(arg.get('arguments') ?? [])];
  });
}

it('sends every command and every word of the table, and no other', async () => {
  for (const call of CALLS) await call();

  const names = ((await redis.call('COMMAND', 'LIST', 'FILTERBY', 'MODULE', 'quotelock')) as string[]).sort();
  assert.deepEqual([...sent.keys()].map((name) => name.toLowerCase()).sort(), names);
  for (const name of names) {
    const [, docs] = (await redis.call('COMMAND', 'DOCS', name)) as [string, unknown[]];
    const otherwise = [...IN_SECONDS, ...(IN_MANY[name] ?? [])];
    const words = new Set(wordsOf(told(docs).get('arguments')).filter((word) => !otherwise.includes(word)));
    assert.deepEqual([...(sent.get(name.toUpperCase()) ?? [])].sort(), [...words].sort(), name);
  }
});
