// Going on with upstream alone while Redis is down, and coming back.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';
import {
  type Fetch,
  FillError,
  LockedQuoteInfo,
  Outage,
  type OutageOptions,
  PriceTables,
  type Send,
  Timing,
  VehPrice,
} from 'quotelock';
import { createClient } from 'redis';

import { standingClock } from './feigned.js';
import { failureOf, key, plainRedis } from './harness.js';
import { type OwnServer, ownServer } from './own-server.js';
import { Upstream, fields, newTable } from './pods.js';

const like = plainRedis();

class ReplyError extends Error {}
const down = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

describe('an Outage', () => {
  const clock = standingClock();

  /** Calls through an outage, of which Redis answers those that it is told to. */
  function feigned(options: OutageOptions = {}) {
    const outage = new Outage({ pauseMs: 100, answerMs: 5000, ...options });
    const redis = { asked: 0, answer: async (): Promise<string> => 'redis' };
    const call = () =>
      outage.run(
        () => {
          redis.asked += 1;
          return redis.answer();
        },
        () => 'upstream',
      );
    return { outage, redis, call };
  }

  it('pauses after a failure, and then one call tries while the others go on', async () => {
    const changes: unknown[] = [];
    const { outage, redis, call } = feigned({ onChange: (...change) => changes.push(change) });
    assert.deepEqual([await call(), outage.isOn], ['redis', false]);
    const error = down();
    redis.answer = async () => {
      throw error;
    };
    assert.deepEqual([await call(), outage.isOn], ['upstream', true]);
    for (let round = 0; round < 5; round += 1) assert.equal(await call(), 'upstream');
    assert.equal(redis.asked, 2, 'it was asked in the pause');
    clock.now += 99;
    assert.deepEqual([await call(), redis.asked], ['upstream', 2]);
    clock.now += 1;
    redis.answer = () => sleep(50, 'redis');
    assert.deepEqual(await Promise.all([call(), call(), call()]), ['redis', 'upstream', 'upstream']);
    assert.deepEqual([redis.asked, outage.isOn, await call()], [3, false, 'redis']);
    assert.deepEqual(changes, [[true, error], [false]]);
  });

  it('begins where Redis is silent', { timeout: 10_000 }, async () => {
    const { outage, redis, call } = feigned({ answerMs: 100 });
    redis.answer = () => new Promise(() => undefined);
    assert.deepEqual([await call(), outage.isOn], ['upstream', true]);
  });

  it('is no answer to a call that is wrong', async () => {
    for (const error of [new ReplyError('ERR invalid roleIds'), new ReplyError('NOPERM no'), new TypeError('none')]) {
      const { outage, redis, call } = feigned();
      redis.answer = async () => {
        throw error;
      };
      assert.equal(await failureOf(call()), error);
      assert.equal(outage.isOn, false);
    }
  });

  it('fails no call by its hook', async () => {
    const { redis, call } = feigned({
      onChange: () => {
        throw new Error('hook');
      },
    });
    redis.answer = async () => {
      throw down();
    };
    assert.equal(await call(), 'upstream');
  });
});

describe('while Redis is down, screens', () => {
  const timing = new Timing({ ttlMs: 360_000, alignMs: 60_000, lagMs: 0 });
  let server: OwnServer;
  before(async () => {
    server = await ownServer(like);
  });
  after(() => server.close());

  const DRIVERS = {
    ioredis: async () => {
      const redis = new Redis(server.url).on('error', () => undefined);
      return { driver: redis, close: () => redis.disconnect() };
    },
    'node-redis': async () => {
      const redis = await createClient({ url: server.url })
        .on('error', () => undefined)
        .connect();
      return { driver: redis, close: () => redis.destroy() };
    },
  };

  for (const [name, open] of Object.entries(DRIVERS)) {
    it(`go on with upstream at the moment that was seen, and come back by themselves, with ${name}`, async () => {
      const { driver, close } = await open();
      after(close);
      const [outage, upstream] = [new Outage(), new Upstream()];
      const tables = new PriceTables(driver, { outage });
      class Locks extends LockedQuoteInfo {}
      Locks.bind(driver);
      const [locks, prefix, user] = [new Locks(), key('prices'), key('user')];
      const screen = async (seen?: string) => {
        const lock = await outage.run(
          () => locks.acquire(user, ['3'], timing.lockOptions),
          () => timing.unlocked(['3'], { seen }),
        );
        const filled = await tables.getOrFill(timing.table(lock, prefix, lock.roleIds), [1, 99, 1], upstream.fetch, { fields });
        assert.deepEqual(filled.rows, [{ price: '2' }, null, { price: '2' }]);
        assert.deepEqual(filled.missing, ['99']);
        return { queryTime: lock.queryTime, unlocked: filled.unlocked };
      };

      const seen = await screen();
      assert.equal(seen.unlocked, false);
      await server.kill();
      let start = performance.now();
      assert.deepEqual(await screen(seen.queryTime), { ...seen, unlocked: true });
      assert.ok(performance.now() - start < 3000, 'the first screen waited for too long');
      start = performance.now();
      for (let screens = 0; screens < 5; screens += 1) assert.equal((await screen(seen.queryTime)).unlocked, true);
      assert.ok(performance.now() - start < 4000, 'screens wait in the pause');

      server.start();
      await server.redis.ping();
      for (const end = Date.now() + 10_000; (await screen(seen.queryTime)).unlocked; await sleep(50)) assert.ok(Date.now() < end);
      assert.equal(outage.isOn, false);
      const asked = upstream.asked.length;
      assert.equal((await screen()).unlocked, false);
      assert.equal(upstream.asked.length, asked, 'it did not fill');
    });
  }

  it('fail without an outage, within the time that Redis has to answer', async () => {
    const away = new Redis('redis://127.0.0.1:1').on('error', () => undefined);
    after(() => away.disconnect());
    const start = performance.now();
    const error = await failureOf(new PriceTables(away, { answerMs: 300 }).getOrFill(newTable(), [1], new Upstream().fetch));
    assert.equal(error.message, 'Redis did not answer within 300 ms');
    assert.ok(performance.now() - start < 2000);
  });
});

describe('getOrFill under an unlocked lock', () => {
  const lock = new Timing({ ttlMs: 360_000, alignMs: 60_000, lagMs: 0 });

  it('fetches once from upstream for equal screens of a process, and not again for ids that it does not know', async () => {
    const [upstream, tables] = [new Upstream(100), new PriceTables(like)];
    const table = lock.table(lock.unlocked(['3']), key('prices'));
    const show = (ids: number[]) => tables.getOrFill(table, ids, upstream.fetch, { fields });
    const screens = [...Array.from({ length: 10 }, () => show([1, 2, 99])), show([2, 3])];
    const shown = await Promise.all(screens);
    for (const { rows, missing } of shown.slice(0, 10)) {
      assert.deepEqual([rows, missing], [[{ price: '2' }, { price: '4' }, null], ['99']]);
    }
    assert.deepEqual(
      shown.map(({ filled, waited }) => [filled, waited]),
      [[2, 0], ...Array.from({ length: 9 }, () => [0, 2]), [1, 1]],
    );
    assert.deepEqual(upstream.asked, [['1', '2', '99'], ['3']]);
    await show([1, 99]);
    assert.deepEqual(upstream.asked.at(-1), ['1']);
  });

  it('leaves no call to those who wait no more, and tells apart what failed and what is unknown', async () => {
    const [upstream, tables] = [new Upstream(Number.POSITIVE_INFINITY), new PriceTables(like, { maxMs: 1000, parallel: 1 })];
    const show = (name: string, fetch: Fetch<'price'>, ids: number[] = [1]) =>
      tables.getOrFill(lock.table(lock.unlocked(['3']), name), ids, fetch, { fields });
    const begun = ['a', 'b'].map((name) => failureOf(show(name, upstream.fetch)));
    // This one keeps the call of the first, and so the room for it, for longer than the second waits.
    await sleep(200);
    const errors = await Promise.all([...begun, failureOf(show('a', upstream.fetch))]);
    for (const { message } of errors) assert.equal(message, '1 of 1 rows could not be had: no answer within 1000 ms');
    upstream.answer();
    assert.equal((await show('c', upstream.fetch, [7, 99])).filled, 1);
    assert.deepEqual(upstream.asked, [['1'], ['7', '99']]);
    const fail = async () => {
      throw new Error('upstream is down');
    };
    const error = await failureOf(show('c', fail, [1, 99]));
    assert.ok(error instanceof FillError);
    assert.equal(error.message, '1 of 2 rows could not be had: upstream is down');
    assert.deepEqual([error.failed, error.filled.missing], [['1'], ['99']]);
  });
});

describe('getOrFill, where Redis fails midway,', () => {
  it('keeps what it has, and fetches only the rest from upstream', async () => {
    const table = newTable();
    await new VehPrice(like).mset(table.key, fields, [[1, { price: 'own' }]]);
    const upstream = new Upstream();
    const lost: Send = async ([name, ...words]) => {
      if (name === 'VEHPRICE.MSET') throw down();
      return like.call(name as string, words);
    };
    const tables = new PriceTables(lost, { outage: new Outage(), claimMs: 20_000, connect: () => like.duplicate() });
    const { rows, ...told } = await tables.getOrFill(table, [1, 2], upstream.fetch, { fields });
    assert.deepEqual(rows, [{ price: 'own' }, { price: '4' }]);
    assert.deepEqual(told, { hits: 1, filled: 1, waited: 0, missing: [], unlocked: true });
    assert.deepEqual(upstream.asked, [['2']]);
    // The write may be under way.
    assert.deepEqual((await new VehPrice(like).claim(table.key, [2], { ttlMs: 1000 })).pending, ['2']);
  });
});
