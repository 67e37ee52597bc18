// What is an unavailable server to isUnavailable, of each driver, with servers that are not there, stop, die, load or change their role.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { GlideClient } from '@valkey/valkey-glide';
import { type Driver, PriceTables, QuoteLock, ServerError, VehPrice, isUnavailable } from 'quotelock';

import { IOREDIS, NODE_REDIS, failureOf, glideClient, key, plainRedis, url } from './harness.js';
import { type OwnServer, ownServer } from './own-server.js';

const redis = plainRedis();
const ignore = () => undefined;

/** A driver that gives up soon. */
interface Hasty {
  driver: Driver;
  close(): unknown;
}

/** Nothing that answers takes as long, however busy the machine is. */
const SOON_MS = 3000;

/** How to open each. Where there is no server, some fail at this already. */
const DRIVERS: Record<string, (url: string, ms?: number) => Promise<Hasty>> = {};
for (const [name, { Redis }] of Object.entries(IOREDIS)) {
  const through =
    (options: object) =>
    async (url: string, ms = SOON_MS) => {
      const client = new Redis(url, { maxRetriesPerRequest: 0, commandTimeout: ms, ...options }).on('error', ignore);
      return { driver: client, close: () => client.disconnect() };
    };
  DRIVERS[name] = through({});
  DRIVERS[`${name}, pipelining`] = through({ enableAutoPipelining: true });
}
for (const [name, { createClient, createClientPool }] of Object.entries(NODE_REDIS)) {
  const options = (ms: number) => ({ socket: { connectTimeout: ms, socketTimeout: ms, reconnectStrategy: false } }) as const;
  DRIVERS[name] = async (url, ms = SOON_MS) => {
    const client = await createClient({ url, ...options(ms) })
      .on('error', ignore)
      .connect();
    return { driver: client, close: () => client.isOpen && client.destroy() };
  };
  DRIVERS[`${name}, a pool`] = async (url, ms = SOON_MS) => {
    const pool = createClientPool({ url, ...options(ms) }).on('error', ignore);
    await pool.connect();
    return {
      driver: pool,
      close: () => {
        try {
          pool.destroy();
        } catch {
          // Its clients are gone already.
        }
      },
    };
  };
}
DRIVERS['GLIDE'] = async (url, ms = SOON_MS) => {
  const client = await glideClient(url, { requestTimeout: ms, advancedConfiguration: { connectionTimeout: ms } });
  return { driver: client, close: () => client.close() };
};

/** That a call fails, and how. */
async function unavailable(call: Promise<unknown>): Promise<Error> {
  const error = await failureOf(call);
  assert.equal(isUnavailable(error), true, `${error.constructor.name}: ${error.message}`);
  assert.equal(isUnavailable(new Error('REDIS_GET_DATA_FAILURE', { cause: error })), true);
  return error;
}

describe('a server is unavailable', () => {
  let server: OwnServer;
  before(async () => {
    server = await ownServer(redis);
  });
  after(() => server.close());

  for (const [name, open] of Object.entries(DRIVERS)) {
    it(`to ${name}, where it is not there, is closed, stops or dies`, { timeout: 60_000 }, async () => {
      const get = ({ driver }: Hasty) => new QuoteLock(driver).get('user');
      await unavailable(
        open('redis://127.0.0.1:1', 500).then(async (hasty) => {
          await get(hasty).finally(hasty.close);
        }),
      );

      const closed = await open(server.url);
      await get(closed);
      await closed.close();
      await unavailable(get(closed));

      const stopped = await open(server.url);
      await get(stopped);
      server.process.kill('SIGSTOP');
      await unavailable(get(stopped));
      server.process.kill('SIGCONT');
      stopped.close();

      const lost = await open(server.url);
      await get(lost);
      const { token } = await new VehPrice(server.redis).claim('t', [1], { ttlMs: 60_000 });
      const waiting = unavailable(new VehPrice(lost.driver).mget('t', [1], { blockMs: 2500 }));
      await sleep(50);
      await server.kill();
      await waiting;
      await unavailable(get(lost));
      lost.close();
      assert.notEqual(token, null);
      server.start();
      await server.redis.ping();
    });

    it(`to ${name}, where it says so itself`, { timeout: 60_000 }, async () => {
      const hasty = await open(server.url);
      const config = (...words: string[]) => server.redis.config('SET', ...(words as [string, string]));
      const locks = new QuoteLock(hasty.driver);
      const prices = new VehPrice(hasty.driver);
      const cases: [code: string, before: () => Promise<unknown>, after: () => Promise<unknown>, call: () => Promise<unknown>][] =
        [
          [
            'READONLY',
            () => server.redis.replicaof('127.0.0.1', 1),
            () => server.redis.replicaof('NO', 'ONE'),
            () => locks.acquire('u', []),
          ],
          [
            'MASTERDOWN',
            async () => {
              await config('replica-serve-stale-data', 'no');
              await server.redis.replicaof('127.0.0.1', 1);
            },
            async () => {
              await server.redis.replicaof('NO', 'ONE');
              await config('replica-serve-stale-data', 'yes');
            },
            () => locks.get('u'),
          ],
          [
            'NOREPLICAS',
            () => config('min-replicas-to-write', '1'),
            () => config('min-replicas-to-write', '0'),
            () => locks.acquire('u', []),
          ],
          ['OOM', () => config('maxmemory', '1'), () => config('maxmemory', '0'), () => locks.acquire('u', [])],
        ];
      for (const [code, begin, end, call] of cases) {
        await begin();
        const error = await unavailable(call());
        await end();
        assert.ok(error instanceof ServerError && error.code === code, `${code}: ${error.message}`);
      }
      // A failover while it waits.
      const table = key('table');
      await new VehPrice(server.redis).claim(table, [1], { ttlMs: 60_000 });
      const waiting = unavailable(prices.mget(table, [1], { blockMs: 2500 }));
      while (!/^blocked_clients:1\r$/m.test(await server.redis.info('clients'))) await sleep(5);
      await server.redis.replicaof('127.0.0.1', 1);
      assert.equal(((await waiting) as ServerError).code, 'UNBLOCKED');
      await server.redis.replicaof('NO', 'ONE');
      hasty.close();
    });
  }

  it('while it loads, and where a Cluster has nobody for a slot', { timeout: 60_000 }, async () => {
    const loading = await ownServer(redis, { 'key-load-delay': 0, 'loading-process-events-interval-bytes': 1024 });
    await loading.redis.call('DEBUG', ['POPULATE', '20000', 'key', '100']);
    await loading.redis.save();
    await loading.kill();
    loading.start({ 'key-load-delay': 500 });
    const node = await ownServer(redis, { 'cluster-enabled': 'yes' });
    for (const [name, { Redis }] of Object.entries(IOREDIS)) {
      const client = new Redis(loading.url, { enableReadyCheck: false });
      client.on('error', ignore);
      const error = (await unavailable(new QuoteLock(client).get('user'))) as ServerError;
      assert.equal(error.code, 'LOADING', name);
      // The service's own calls through the driver count, too.
      await unavailable(client.get('user'));
      client.disconnect();
    }
    for (const { createClient } of Object.values(NODE_REDIS)) {
      const client = await createClient({ url: loading.url }).connect();
      assert.equal(((await unavailable(new QuoteLock(client).get('user'))) as ServerError).code, 'LOADING');
      client.destroy();
    }
    for (const open of Object.values(DRIVERS)) {
      const hasty = await open(node.url);
      const error = await unavailable(new QuoteLock(hasty.driver).get('user'));
      assert.equal((error as ServerError).code, 'CLUSTERDOWN');
      hasty.close();
    }
    await Promise.all([loading.close(), node.close()]);
  });

  it('where all nodes of a Cluster are gone', { timeout: 60_000 }, async () => {
    for (const { Cluster } of Object.values(IOREDIS)) {
      const options = { clusterRetryStrategy: () => null };
      const cluster = new Cluster(['redis://127.0.0.1:1'], options).on('error', ignore);
      await unavailable(new QuoteLock(cluster).get('user'));
    }
    for (const { createCluster } of Object.values(NODE_REDIS)) {
      await unavailable(createCluster({ rootNodes: [{ url: 'redis://127.0.0.1:1' }] }).connect());
    }
    await unavailable(GlideClient.createClient({ addresses: [{ host: '127.0.0.1', port: 1 }] }));
  });
});

it('a mistake is none, whoever made it', async () => {
  const list = key('list');
  await redis.rpush(list, 'x');
  const hasty = new (IOREDIS['ioredis 5'] as (typeof IOREDIS)[string]).Redis(url, { socketTimeout: 100 });
  const calls: (() => Promise<unknown>)[] = [
    () => new QuoteLock(redis).get(list),
    () => new QuoteLock(redis).acquire(key(), ['']),
    () => new QuoteLock((words) => redis.call('QUOTELOCK.NONE', words)).get('user'),
    () => new VehPrice(redis).mget(key(), [undefined as unknown as string]),
    () => new VehPrice(hasty).mget(key(), [1], { blockMs: 100 }),
    () => redis.get(list),
  ];
  for (const call of calls) assert.equal(isUnavailable(await failureOf(call())), false);
  hasty.disconnect();
  const circle = new Error('a');
  circle.cause = new Error('b', { cause: circle });
  for (const other of [undefined, null, 'ECONNREFUSED', new Error('x'), circle, new AggregateError([])])
    assert.equal(isUnavailable(other), false);
});

it('isUnavailable knows an answer that came too late, under whatever name its class is bundled', async () => {
  const silent = () => new Promise(() => undefined);
  const tables = new PriceTables(silent, { connect: () => silent, answerMs: 50 });
  const error = await failureOf(tables.getOrFill({ key: key(), expiry: 'never' }, [1], async () => []));
  Object.defineProperty(error.constructor, 'name', { value: 'a' });
  assert.equal(isUnavailable(error), true);
});
