// Copies of tables through what a server goes through: connections that are lost, a failover, a reload, a flush.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Redis } from 'ioredis';
import { PriceTableCopies, type PriceTableCopy, ServerError, VehPrice } from 'quotelock';

import { key, plainRedis, throughEachDriver } from './harness.js';
import { type OwnServer, ownServer } from './own-server.js';
import { type Way, wayTo } from './way.js';

const like = plainRedis();
let [primary, replica]: OwnServer[] = [];
let way: Way;

before(async () => {
  primary = await ownServer(like);
  replica = await ownServer(like);
  way = await wayTo(primary.url);
  await follow(replica, primary);
});

after(async () => {
  way.close();
  await Promise.all([primary?.close(), replica?.close()]);
});

const portOf = ({ url }: OwnServer) => Number(new URL(url).port);

async function follow(replica: OwnServer, primary: OwnServer): Promise<void> {
  await replica.redis.replicaof('127.0.0.1', portOf(primary));
  while (!(await replica.redis.info('replication')).includes('master_link_status:up')) await sleep(10);
}

/** What the call answers once it no longer fails on the way: some drivers try again by themselves, others don't. */
async function once<T>(call: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + 20_000; ; await sleep(20)) {
    try {
      return await call();
    } catch (error) {
      if (error instanceof ServerError || Date.now() > end) throw error;
    }
  }
}

function rows(from: number, to: number, a = 'x'): [number, { a: string }][] {
  return Array.from({ length: to - from }, (_, at) => [from + at, { a }]);
}

/** Holds a copy against the table. */
async function isExact(copy: PriceTableCopy, redis: Redis): Promise<void> {
  const all = await once(() => copy.all());
  assert.deepEqual(Object.fromEntries(all), await new VehPrice(redis).getAll(copy.key));
}

describe('PriceTableCopies outlive', () => {
  throughEachDriver(
    (driver) => {
      it('lost connections', async () => {
        const { redis } = primary as OwnServer;
        const prices = new VehPrice(redis);
        const copies = new PriceTableCopies(driver(), { maxBytes: 1e7 });
        const copy = copies.of(key('table'));
        const final = new PriceTableCopies(driver(), { maxBytes: 1e7, final: true }).of(copy.key);
        await prices.mset(copy.key, ['a'], rows(0, 500));
        await isExact(copy, redis);
        await isExact(final, redis);
        const { bytes } = copies;
        for (let times = 0; times < 5; times += 1) {
          way.losesNext = true;
          // It succeeds or fails, as the driver has it.
          const [lost, answered] = await Promise.allSettled([copy.row(1), final.row(1)]);
          if (lost.status === 'rejected') assert.ok(!(lost.reason instanceof ServerError), String(lost.reason));
          assert.deepEqual(answered, { status: 'fulfilled', value: { a: 'x' } });
          assert.ok(copies.bytes >= bytes);
          await prices.set(copy.key, 1, { a: 'y' });
          assert.deepEqual(await once(() => copy.row(1)), { a: 'y' });
          await prices.set(copy.key, 1, { a: 'x' });
          await isExact(copy, redis);
        }
      });

      it('a failover, with what was lost in it', async () => {
        const [before, next] = [primary, replica] as [OwnServer, OwnServer];
        const copy = new PriceTableCopies(driver(), { maxBytes: 1e7 }).of(key('table'));
        await new VehPrice(before.redis).mset(copy.key, ['a'], rows(0, 500));
        assert.equal(await before.redis.wait(1, 20_000), 1);
        await isExact(copy, before.redis);

        await next.redis.replicaof('NO', 'ONE');
        // The first is cut off, and some writes are lost with it.
        await new VehPrice(before.redis).mset(copy.key, ['a'], rows(490, 510, 'lost'));
        await new VehPrice(before.redis).del(copy.key, [1]);
        assert.equal((await once(() => copy.all())).size, 509);
        await new VehPrice(next.redis).mset(copy.key, ['a'], rows(2, 3, 'new'));
        way.to = next.url;
        way.cut();
        await isExact(copy, next.redis);
        assert.deepEqual(await copy.rows([1, 2, 490, 505]), [{ a: 'x' }, { a: 'new' }, { a: 'x' }, null]);
        await new VehPrice(next.redis).del(copy.key, [2]);
        await isExact(copy, next.redis);

        await follow(before, next);
        [primary, replica] = [next, before];
      });

      it('a flush, a reload and other tables in the place of theirs', async () => {
        const { redis } = primary as OwnServer;
        const prices = new VehPrice(redis);
        const copies = new PriceTableCopies(driver(), { maxBytes: 1e7 });
        const copy = copies.of(key('table'));
        const other = key('table');
        const dumped = async () => {
          const dump = await redis.dumpBuffer(copy.key);
          await prices.mset(copy.key, ['a'], rows(0, 9, 'later'));
          await redis.restore(copy.key, 0, dump, 'REPLACE');
        };
        const steps: [string, () => Promise<unknown>][] = [
          ['DEBUG RELOAD', () => redis.call('DEBUG', ['RELOAD'])],
          ['RENAME', () => redis.rename(other, copy.key)],
          ['COPY', () => redis.copy(other, copy.key, 'REPLACE')],
          ['RESTORE', dumped],
          ['SWAPDB', () => redis.swapdb(0, 1)],
          ['FLUSHDB', () => redis.flushdb()],
          ['FLUSHALL', () => redis.flushall()],
          ['CLEAR', () => prices.clear(copy.key)],
          ['DEL', () => redis.del(copy.key)],
        ];
        for (const [name, step] of steps) {
          await prices.mset(copy.key, ['a'], rows(0, 400, name));
          await prices.mset(other, ['a'], rows(200, 500, `other ${name}`));
          await isExact(copy, redis);
          await step();
          await isExact(copy, redis);
          await prices.mset(copy.key, ['a'], rows(300, 600, `later ${name}`));
          await isExact(copy, redis);
        }
        await redis.flushall();
        assert.equal(await copy.row(1), null);
        assert.equal(copies.bytes, 0);
        await redis.set(copy.key, 'x');
        await assert.rejects(copy.row(1), { name: 'ServerError', reason: 'type' });
        await redis.del(copy.key);
        await prices.set(copy.key, 1, { a: 'x' });
        await isExact(copy, redis);
      });
    },
    () => way.url,
  );
});
