// What a driver puts before the keys of the commands that it knows comes before these, too.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';

import { type Driver, LockedQuoteInfo, PricePlan, PriceTableCopies, VehPrice } from 'quotelock';

import { IOREDIS, NODE_REDIS, key, plainRedis, url } from './harness.js';

const redis = plainRedis();
const PREFIX = 'hermes:prefixed:';
const opened: (() => unknown)[] = [];
after(() => Promise.all(opened.map((close) => close())));

const DRIVERS: Record<string, (keyPrefix: string) => Promise<Driver>> = {};

for (const [name, { Redis }] of Object.entries(IOREDIS)) {
  for (const enableAutoPipelining of [false, true]) {
    DRIVERS[`${name}${enableAutoPipelining ? ', pipelining' : ''}`] = async (keyPrefix) => {
      const client = new Redis(url, { keyPrefix, enableAutoPipelining });
      opened.push(() => client.quit());
      return client;
    };
  }
}

const newer = NODE_REDIS['node-redis 6'];
if (newer) {
  DRIVERS['node-redis 6'] = async (keyPrefix) => {
    const client = await newer.createClient({ url, ...{ keyPrefix } }).connect();
    opened.push(() => client.close());
    return client;
  };
  DRIVERS['node-redis 6, a pool'] = async (keyPrefix) => {
    const pool = newer.createClientPool({ url, ...{ keyPrefix } });
    await pool.connect();
    opened.push(() => pool.close());
    return pool;
  };
}

describe('a key prefix', () => {
  for (const [name, open] of Object.entries(DRIVERS)) {
    it(`of ${name}`, async () => {
      const driver = await open(PREFIX);
      const [user, table, toggle, hash] = [key('user'), key('table'), key('toggle'), key('hash')];
      class Bound extends LockedQuoteInfo {}
      Bound.bind(driver);
      const { queryTime } = await new Bound().acquire(user, ['3']);
      assert.equal(JSON.parse((await redis.get(`${PREFIX}hermes:LockedQuoteInfo:${user}`)) ?? '').queryTime, queryTime);
      const prices = new VehPrice(driver);
      await prices.mset(table, ['a'], [[1, { a: 'x' }]]);
      assert.deepEqual(await new VehPrice(redis).getAll(`${PREFIX}${table}`), { '1': { a: 'x' } });
      assert.deepEqual(await prices.mget(table, [1]), [{ a: 'x' }]);
      const { token, claimed } = await prices.claim(table, [2], { ttlMs: 1000 });
      assert.deepEqual(claimed, ['2']);
      assert.deepEqual(await prices.mget(table, [2], { blockMs: 10 }), [null]);
      assert.equal(await prices.release(table, token ?? ''), 1);
      assert.deepEqual(await new PriceTableCopies(driver, { maxBytes: 1e6 }).of(table).rows([1]), [{ a: 'x' }]);
      await redis.set(`${PREFIX}${toggle}`, 'new');
      assert.deepEqual(await new PricePlan(driver, toggle).tag([571]), ['571']);
      await redis.hset(`${PREFIX}${hash}`, 'a', '1');
      assert.deepEqual(await prices.mgetHash([key(), hash]), [null, { a: '1' }]);
      assert.equal(await redis.exists(table, toggle, hash, `hermes:LockedQuoteInfo:${user}`), 0);
    });
  }

  it('that is no text is refused', () => {
    const client = { call: async () => 'null', sendCommand: async () => 'null', options: { keyPrefix: Buffer.from('x') } };
    assert.throws(() => new VehPrice(client), { name: 'TypeError', message: /keyPrefix/ });
  });
});
