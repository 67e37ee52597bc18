// In a Cluster, at REDIS_CLUSTER_URL, every command goes to the node that has its key, through every driver and in each of its modes.
import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { GlideClusterClient } from '@valkey/valkey-glide';
import { Redis } from 'ioredis';
import { type Driver, LockedQuoteInfo, PricePlan, PriceTableCopies, PriceTables, VehPrice } from 'quotelock';

import { IOREDIS, NODE_REDIS, key } from './harness.js';

const url = process.env['REDIS_CLUSTER_URL'] ?? 'redis://127.0.0.1:7000';
const { hostname: host, port } = new URL(url);

/** A client of each node. */
const nodes = (async () => {
  const one = new Redis(url);
  const slots = await one.cluster('SLOTS');
  one.disconnect();
  return slots.map(([, , primary]) => new Redis(primary?.[1] ?? 0, host));
})();
after(async () => {
  for (const node of await nodes) node.disconnect();
});

/** How often the nodes have sent a client elsewhere. */
async function moved(): Promise<number> {
  const told = await Promise.all((await nodes).map((node) => node.info('errorstats')));
  return told.reduce((sum, info) => sum + Number(/errorstat_MOVED:count=(\d+)/.exec(info)?.[1] ?? 0), 0);
}

async function story(driver: Driver): Promise<void> {
  class Bound extends LockedQuoteInfo {}
  Bound.bind(driver);
  const locks = new Bound();
  const prices = new VehPrice(driver);
  const copies = new PriceTableCopies(driver, { maxBytes: 1e6 });
  const tables = new PriceTables(driver, 'duplicate' in driver ? {} : { connect: () => driver });
  const upstream = async () => [[1, { a: 'x' }]] as const;
  const each = async (round: number) => {
    const user = key('user');
    const { outcome, ...lock } = await locks.acquire(user, ['3']);
    assert.equal(outcome, 'Created');
    assert.deepEqual(await locks.getById(user), lock);
    const table = key('table');
    assert.equal(await prices.mset(table, ['a'], [[1, { a: round }]]), 1);
    assert.deepEqual(await prices.mget(table, [1, 2]), [{ a: String(round) }, null]);
    assert.deepEqual(await copies.of(table).rows([1, 2]), [{ a: String(round) }, null]);
    await prices.set(table, 2, { a: 'x' });
    assert.deepEqual(await copies.of(table).rows([1, 2]), [{ a: String(round) }, { a: 'x' }]);
    const { token } = await prices.claim(table, [3], { ttlMs: 1000 });
    assert.equal(await prices.release(table, token ?? ''), 1);
    assert.equal((await prices.info(table))?.rows, 2);
    assert.deepEqual(await new PricePlan(driver, key('toggle')).tag(['571']), ['571_old']);
    const filled = await tables.getOrFill({ key: key('table'), expiry: { inMs: 60_000 } }, [1, 99], upstream, { fields: ['a'] });
    assert.deepEqual([filled.rows, filled.missing], [[{ a: 'x' }, null], ['99']]);
  };
  const before = await moved();
  for (let round = 0; round < 10; round += 1) await each(round);
  // All at once, too, which a driver may pipeline.
  await Promise.all(Array.from({ length: 30 }, (_, round) => each(round)));
  assert.equal(await moved(), before, 'sent elsewhere');
  // What another fetches is waited for at the node that has it.
  const table = { key: key('table'), expiry: { inMs: 60_000 } };
  const slow = async (ids: string[]) => {
    await sleep(200);
    return ids.map((id) => [id, { a: id }] as const);
  };
  const other = new PriceTables(driver, 'duplicate' in driver ? {} : { connect: () => driver });
  const screens = await Promise.all([tables, other].map((tables) => tables.getOrFill(table, [1, 2], slow, { fields: ['a'] })));
  assert.deepEqual(
    screens.map(({ filled, waited }) => filled + waited),
    [2, 2],
  );
  for (const one of [tables, other]) one.close();
}

for (const [name, { Cluster }] of Object.entries(IOREDIS)) {
  const modes = [
    {},
    { enableAutoPipelining: true },
    { keyPrefix: 'hermes:prefixed:' },
    { enableAutoPipelining: true, redisOptions: { keyPrefix: 'hermes:prefixed:' } },
    { scaleReads: 'all' },
    { enableAutoPipelining: true, scaleReads: 'slave' },
  ] as const;
  for (const options of modes) {
    it(`${name}, with ${JSON.stringify(options)}`, async () => {
      const cluster = new Cluster([url], options);
      await cluster.ping();
      await story(cluster);
      await cluster.quit();
    });
  }

  it(`${name}, before it is connected`, async () => {
    for (const enableAutoPipelining of [false, true]) {
      const cluster = new Cluster([url], { enableAutoPipelining, lazyConnect: true });
      const prices = new VehPrice(cluster);
      const rows = [[1, { a: 1 }]] as const;
      assert.deepEqual(
        await Promise.all(Array.from({ length: 30 }, () => prices.mset(key('table'), ['a'], rows))),
        Array(30).fill(1),
      );
      await cluster.quit();
    }
  });
}

for (const [name, { createCluster }] of Object.entries(NODE_REDIS)) {
  for (const options of [{}, { RESP: 2 }, { RESP: 3 }, { useReplicas: true }] as const) {
    it(`${name}, with ${JSON.stringify(options)}`, async () => {
      const cluster = await createCluster({ rootNodes: [{ url }], ...options }).connect();
      await story(cluster);
      await cluster.close();
    });
  }
}

for (const readFrom of ['primary', 'preferReplica'] as const) {
  it(`GLIDE, which reads from ${readFrom}`, async () => {
    const addresses = [{ host, port: Number(port) }];
    const cluster = await GlideClusterClient.createClient({ addresses, readFrom, requestTimeout: 20_000 });
    await story(cluster);
    cluster.close();
  });
}
