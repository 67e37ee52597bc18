// Keys of tables and when their rows expire: the same as the Python client's.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { type Part, QuoteLock, Timing, VehPrice } from 'quotelock';

import { key, plainRedis } from './harness.js';

const redis = plainRedis();
const timing = new Timing({ ttlMs: 360_000, alignMs: 60_000, lagMs: 2000 });

const at = (queryTime: string) => ({ queryTime });
const utc = (time: string) => new Date(`2024-09-12T${time}Z`);

/** Cases that hold for every client. */
function cases<T>(name: string): T[] {
  const all: T[] = JSON.parse(readFileSync(join(__dirname, `../../../shared-cases/${name}.json`), 'utf8'));
  assert.ok(all.length > 10);
  return all;
}

describe('keys of tables', () => {
  it('are those of every client', () => {
    for (const { moment, name, parts, key } of cases<{ moment: string; name: string; parts: Part[]; key: string }>(
      'table-keys',
    )) {
      assert.equal(timing.tableKey(at(moment), name, ...parts), key);
    }
  });

  it('are the same for the same set', () => {
    const sets: Part[] = [['7', 3], ['3', '7', 7], new Set([3, 7]), new Set<string | number>(['3', 7])];
    for (const set of sets) assert.equal(timing.tableKey(at('m'), 't', set), 't:{m}:3,7');
  });

  it('take no name and no part that would make another key', () => {
    for (const name of ['', 'a{b', 'a}b']) assert.throws(() => timing.tableKey(at('m'), name), /takes a text without braces/);
    for (const part of [null, undefined, true, ['3', null]] as unknown as Part[]) {
      assert.throws(() => timing.tableKey(at('m'), 't', part), /^TypeError: the key of a table takes strings and numbers alone/);
    }
  });
});

describe('Timing', () => {
  it('lets rows outlive every lock on their moment', () => {
    const ends = utc('02:57:02.000');
    for (const moment of ['2024-09-12T02:50:00.000Z', '2024-09-12T10:50:00+08:00', '2024-09-12t02:50:00.000999999z']) {
      assert.deepEqual(timing.expiryOf(at(moment)), ends, moment);
    }
    assert.equal(timing.expiryOf(at('9999-12-31T23:59:59Z')).getUTCFullYear(), 9999);
    assert.deepEqual(timing.table(at('2024-09-12T02:50:00.000Z'), 't', ['7', '3']), {
      key: 't:{2024-09-12T02:50:00.000Z}:3,7',
      expiry: { at: ends },
    });
    for (const moment of ['soon', '2024-09-12T02:50:00.000', '2024-09-12', '2024-13-12T02:50:00Z']) {
      assert.throws(() => timing.expiryOf(at(moment)), /^RangeError: a moment takes a time of RFC 3339/, moment);
    }
  });

  it('takes the moments that the server takes, for what it takes them for', async () => {
    const locks = new QuoteLock(redis);
    for (const { moment, unixMs } of cases<{ moment: string; unixMs: number | null }>('moments')) {
      const set = locks.set(key('user'), ['3'], moment);
      const expiry = () => timing.expiryOf(at(moment)).getTime();
      if (unixMs === null) {
        await assert.rejects(set, /invalid queryTime/, moment);
        assert.throws(expiry, /^RangeError: a moment takes a time of RFC 3339/, moment);
      } else {
        await set;
        assert.equal(expiry(), unixMs + 422_000, moment);
      }
    }
  });

  it('knows the moments that the server gives', async () => {
    const cases = { '01': '02:49', '02': '02:50', '59': '02:50' };
    for (const [second, minute] of Object.entries(cases)) {
      assert.equal(timing.momentAt(utc(`02:50:${second}.000`)), `2024-09-12T${minute}:00.000Z`);
    }
    assert.deepEqual(timing.nextMoment(utc('02:50:01.999')), {
      queryTime: '2024-09-12T02:50:00.000Z',
      since: utc('02:50:02.000'),
    });
    const own = new Timing({ ttlMs: 360_000, alignMs: 0, lagMs: 1 });
    assert.equal(own.momentAt(utc('00:00:00.000')), '2024-09-11T23:59:59.999Z');
    assert.throws(() => own.nextMoment(new Date()), /none is the next/);
    assert.deepEqual([own.lockOptions, timing.lockOptions], [{ lagMs: 1 }, { lagMs: 2000, alignSeconds: 60 }]);

    const seconds = new Timing({ ttlMs: 360_000, alignMs: 1000, lagMs: 2000 });
    const before = seconds.momentAt(new Date());
    const lock = await new QuoteLock(redis).acquire(key('user'), ['3'], '*', seconds.lockOptions);
    assert.ok(before <= lock.queryTime && lock.queryTime <= seconds.momentAt(new Date()), lock.queryTime);
    const table = seconds.table(lock, key('t'));
    await new VehPrice(redis).mset(table.key, ['a'], [[1, { a: 1 }]], { expiry: table.expiry });
    const [left = 0] = await new VehPrice(redis).pttl(table.key, [1]);
    assert.ok(left > 359_000 && left <= 363_000, String(left));
  });

  it('refuses what the server would refuse', () => {
    const right = { ttlMs: 360_000, alignMs: 60_000, lagMs: 0 };
    const cases = [
      { ttlMs: 0 },
      { ttlMs: 1.5 },
      { ttlMs: '360000' as unknown as number },
      { bufferMs: -1 },
      { bufferMs: 360_001 },
      { alignMs: 1500 },
      { alignMs: 301_000 },
      { lagMs: -1 },
    ];
    for (const wrong of cases) {
      const [name] = Object.keys(wrong);
      assert.throws(() => new Timing({ ...right, ...wrong }), new RegExp(`^RangeError: ${name} takes `), JSON.stringify(wrong));
    }
    new Timing({ ...right, alignMs: 300_000 });
    new Timing({ ttlMs: 1000, alignMs: 0, lagMs: 0 });
  });

  it('has a moment that stands in while Redis is down', () => {
    const now = utc('02:55:30.000');
    const cases: [string | undefined, string, string][] = [
      [undefined, '02:55:00', 'Effective'],
      ['2024-09-12T02:50:00.000Z', '02:50:00', 'CloseToExpired'],
      ['2024-09-12T02:51:00.000Z', '02:51:00', 'Effective'],
      ['2024-09-12T02:49:00.000Z', '02:49:00', 'CloseToExpired'],
      ['2024-09-12T02:48:00.000Z', '02:55:00', 'Effective'],
      ['2024-09-12T02:56:00.000Z', '02:55:00', 'Effective'],
      // No lock is on these.
      ['2024-09-12T02:51:29.000Z', '02:55:00', 'Effective'],
      ['2024-09-12T02:51:00.001Z', '02:55:00', 'Effective'],
      ['anything', '02:55:00', 'Effective'],
    ];
    const zero = new Timing({ ttlMs: 360_000, alignMs: 60_000, lagMs: 0 });
    for (const [seen, time, state] of cases) {
      const lock = zero.unlocked([3, '7'], { seen, now });
      assert.deepEqual(lock, { roleIds: ['3', '7'], queryTime: `2024-09-12T${time}.000Z`, state, unlocked: true }, seen);
    }
    // This pod's clock may be a little behind the server's, or ahead.
    const clocks = { '02:55:59.000': '02:56', '02:55:58.999': '02:55', '03:03:00.999': '02:56', '03:03:01.000': '03:03' };
    for (const [time, minute] of Object.entries(clocks)) {
      const { queryTime } = zero.unlocked([], { seen: '2024-09-12T02:56:00.000Z', now: utc(time) });
      assert.equal(queryTime, `2024-09-12T${minute}:00.000Z`, time);
    }
    const { queryTime } = timing.unlocked([], { seen: '2024-09-12T02:56:00.000Z', now: utc('02:56:00.999') });
    assert.equal(queryTime, '2024-09-12T02:55:00.000Z', 'within the lag no lock is on it');
    assert.equal(zero.table(zero.unlocked([]), 't').unlocked, true);
  });
});
