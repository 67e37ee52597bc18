// What must be current, and what waits, is asked of the primary, through drivers that read from replicas too.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { GlideClusterClient } from '@valkey/valkey-glide';
import { type Driver, PricePlan, PriceTableCopies, QuoteLock, VehPrice } from 'quotelock';

import { IOREDIS, NODE_REDIS, key, plainRedis } from './harness.js';
import { type OwnServer, ownServer } from './own-server.js';

const redis = plainRedis();

describe('in a Cluster of a primary and a replica', { timeout: 120_000 }, () => {
  let primary: OwnServer;
  let replica: OwnServer;

  before(async () => {
    const options = { 'cluster-enabled': 'yes', 'cluster-node-timeout': 60_000 };
    [primary, replica] = await Promise.all([ownServer(redis, options), ownServer(redis, options)]);
    await primary.redis.call('CLUSTER', ['ADDSLOTSRANGE', '0', '16383']);
    await replica.redis.call('CLUSTER', ['MEET', '127.0.0.1', new URL(primary.url).port]);
    const id = String(await primary.redis.call('CLUSTER', ['MYID']));
    for (;;) {
      const done = await replica.redis.call('CLUSTER', ['REPLICATE', id]).catch(() => undefined);
      const [info, state] = await Promise.all([replica.redis.info('replication'), primary.redis.call('CLUSTER', ['INFO'])]);
      // The slots with the primary and its replica.
      const [[, , ...nodes] = []] = await primary.redis.cluster('SLOTS');
      if (done && nodes.length === 2 && /master_link_status:up/.test(info) && /cluster_state:ok/.test(String(state))) break;
      await sleep(50);
    }
    await replica.redis.config('RESETSTAT');
  });
  after(() => Promise.all([primary.close(), replica.close()]));

  /** The module's commands that the replica was asked, besides those that it replicates. */
  async function asked(): Promise<string[]> {
    const stats = await replica.redis.info('commandstats');
    await replica.redis.config('RESETSTAT');
    return [...stats.matchAll(/^cmdstat_((?:quotelock|vehprice|priceplan)\.\w+):/gm)].map(([, name]) => name as string).sort();
  }

  const REPLICATED = ['vehprice.mset'];
  const MAY_BE_OLD = [
    'vehprice.get',
    'vehprice.getall',
    'vehprice.info',
    'vehprice.len',
    'vehprice.mget',
    'vehprice.mgethash',
    'vehprice.pttl',
  ];

  async function currentAlone(driver: Driver): Promise<void> {
    const [user, table] = [key('user'), key('table')];
    const prices = new VehPrice(driver);
    const plans = new PricePlan(driver, key('toggle'));
    await new QuoteLock(driver).acquire(user, ['3']);
    await new QuoteLock(driver).get(user);
    await prices.mset(table, ['a'], [[1, { a: 'x' }]]);
    await prices.verify(table, 1, { a: 'x' });
    for await (const _ of prices.scan(table)) break;
    await new PriceTableCopies(driver, { maxBytes: 1e6 }).of(table).rows([1]);
    await plans.tag([571]);
    await plans.route([571]);
    const { token } = await prices.claim(table, [2], { ttlMs: 60_000 });
    const start = performance.now();
    assert.deepEqual(await prices.mget(table, [2], { blockMs: 100 }), [null]);
    assert.ok(performance.now() - start > 90, 'it did not wait');
    await prices.release(table, token ?? '');
  }

  async function mayBeOld(driver: Driver): Promise<void> {
    const table = key('table');
    const prices = new VehPrice(driver);
    await prices.get(table, 1);
    await prices.mget(table, [1]);
    await prices.getAll(table);
    await prices.len(table);
    await prices.pttl(table, [1]);
    await prices.info(table);
    await prices.mgetHash([table]);
  }

  const drivers: Record<string, () => Promise<{ driver: Driver; close(): unknown; reads: boolean }>> = {};
  for (const [name, { Cluster }] of Object.entries(IOREDIS)) {
    for (const enableAutoPipelining of [false, true]) {
      drivers[`${name}${enableAutoPipelining ? ', pipelining' : ''}`] = async () => {
        const cluster = new Cluster([primary.url], { scaleReads: 'slave', enableAutoPipelining }).on('error', () => undefined);
        await cluster.ping();
        return { driver: cluster, close: () => cluster.disconnect(), reads: true };
      };
    }
  }
  for (const [name, { createCluster }] of Object.entries(NODE_REDIS)) {
    drivers[name] = async () => {
      const cluster = await createCluster({ rootNodes: [{ url: primary.url }], useReplicas: true }).connect();
      return { driver: cluster, close: () => cluster.destroy(), reads: true };
    };
  }
  drivers['GLIDE'] = async () => {
    const { hostname: host, port } = new URL(primary.url);
    const addresses = [{ host, port: Number(port) }];
    const cluster = await GlideClusterClient.createClient({ addresses, readFrom: 'preferReplica', requestTimeout: 5000 });
    // It knows none of the module's reads.
    return { driver: cluster, close: () => cluster.close(), reads: false };
  };

  for (const [name, open] of Object.entries(drivers)) {
    it(name, async () => {
      const { driver, close, reads } = await open();
      await asked();
      await currentAlone(driver);
      assert.deepEqual(
        (await asked()).filter((name) => !REPLICATED.includes(name)),
        [],
      );
      // Some choose between replica and primary by chance.
      for (let round = 0; round < 20; round += 1) await mayBeOld(driver);
      assert.deepEqual(
        (await asked()).filter((name) => !REPLICATED.includes(name)),
        reads ? MAY_BE_OLD : [],
      );
      close();
    });
  }
});
