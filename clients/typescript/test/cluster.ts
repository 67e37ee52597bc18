// In a Cluster, at REDIS_CLUSTER_URL, every command goes to the node that has its key.
import assert from 'node:assert/strict';
import { it } from 'node:test';

import type { Cluster } from 'ioredis';

import { type Driver, LockedQuoteInfo, PricePlan, PriceTableCopies, type Send, VehPrice } from 'quotelock';

import { IOREDIS, NODE_REDIS, key } from './harness.js';

const url = process.env['REDIS_CLUSTER_URL'] ?? 'redis://127.0.0.1:7000';

async function story(driver: Driver): Promise<void> {
  const locks = new LockedQuoteInfo(driver);
  const prices = new VehPrice(driver);
  const plans = new PricePlan(driver);
  const copies = new PriceTableCopies(driver, { maxBytes: 1e6 });
  for (let round = 0; round < 30; round += 1) {
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
    assert.deepEqual(await plans.tag(key('toggle'), ['571']), ['571_old']);
  }
}

/** How often the nodes have sent a client elsewhere. */
async function moved(cluster: Cluster): Promise<number> {
  const told = await Promise.all(cluster.nodes('master').map((node) => node.info('errorstats')));
  return told.reduce((sum, info) => sum + Number(/errorstat_MOVED:count=(\d+)/.exec(info)?.[1] ?? 0), 0);
}

for (const [name, { Cluster, Command }] of Object.entries(IOREDIS)) {
  it(`${name}, which follows when it is sent elsewhere`, async () => {
    const cluster = new Cluster([url]);
    await cluster.ping();
    const before = await moved(cluster);
    await story(cluster);
    assert.ok((await moved(cluster)) > before);
    await cluster.quit();
  });

  it(`${name}, told the key`, async () => {
    const cluster = new Cluster([url]);
    // As in the README.
    const send: Send = ([name = '', ...args], key) => {
      const command = new Command(name, args, { replyEncoding: 'utf8' });
      command.getKeys = () => [key];
      return cluster.sendCommand(command) as Promise<unknown>;
    };
    await cluster.ping();
    const before = await moved(cluster);
    await story(send);
    assert.equal(await moved(cluster), before);
    await cluster.quit();
  });
}

for (const [name, { createCluster }] of Object.entries(NODE_REDIS)) {
  it(name, async () => {
    const cluster = await createCluster({ rootNodes: [{ url }] }).connect();
    await story(cluster);
    await cluster.close();
  });
}
