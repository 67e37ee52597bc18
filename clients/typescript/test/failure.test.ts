// What the README says of a reply that is lost, and of a server that does not answer.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';

import { type Driver, LockedQuoteInfo, ServerError, VehPrice } from 'quotelock';

import { IOREDIS, NODE_REDIS, key, plainRedis, url } from './harness.js';
import { wayTo } from './way.js';

const redis = plainRedis();
const locks = new LockedQuoteInfo(redis);
const prices = new VehPrice(redis);

/** A way to the server on which the next reply can be lost, and the connection with it. */
const way = wayTo(url);
after(async () => (await way).close());

/** The call, with its first reply lost. */
async function unanswered<T>(call: () => Promise<T>): Promise<T> {
  (await way).losesNext = true;
  return call();
}

async function failure(call: Promise<unknown>): Promise<Error> {
  const error = await call.then(
    () => assert.fail('it did not fail'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof Error && !(error instanceof ServerError), String(error));
  return error;
}

/** Its rows are claimed under a token that no one has. */
async function isPending(table: string): Promise<void> {
  const claim = await prices.claim(table, [1], { ttlMs: 60_000 });
  assert.deepEqual(claim, { token: null, rows: [null], claimed: [], pending: ['1'] });
}

for (const [name, { Redis }] of Object.entries(IOREDIS)) {
  describe(name, () => {
    it('sends again what it had no reply to', async () => {
      const failing = new Redis((await way).url);
      failing.on('error', () => undefined);
      await failing.ping();
      const [user, table] = [key('user'), key('table')];
      const { outcome, ...lock } = await unanswered(() => new LockedQuoteInfo(failing).acquire(user, ['3']));
      assert.deepEqual([outcome, lock], ['Held', await locks.getById(user)]);
      const rows = [['2', { a: 1 }]] as const;
      const through = new VehPrice(failing);
      assert.equal(await unanswered(() => through.mset(table, ['a'], rows, { condition: 'NX' })), 0);
      assert.deepEqual(await prices.mget(table, [2]), [{ a: '1' }]);
      assert.equal(await unanswered(() => through.del(table, [2])), 0);
      const claim = await unanswered(() => through.claim(table, [1], { ttlMs: 60_000 }));
      assert.deepEqual([claim.token, claim.pending], [null, ['1']]);
      await isPending(table);
      failing.disconnect();
    });

    it('fails after commandTimeout or maxRetriesPerRequest', async () => {
      const table = key('table');
      await prices.claim(table, [1], { ttlMs: 60_000 });
      const hasty = new Redis(url, { commandTimeout: 2000 });
      await hasty.ping();
      await failure(new VehPrice(hasty).mget(table, [1], { blockMs: 60_000 }));
      hasty.disconnect();
      for (const options of [{ commandTimeout: 100 }, { maxRetriesPerRequest: 1 }]) {
        const away = new Redis('redis://127.0.0.1:1', options);
        away.on('error', () => undefined);
        await failure(new VehPrice(away).get(table, 1));
        away.disconnect();
      }
    });
  });
}

for (const [name, { createClient }] of Object.entries(NODE_REDIS)) {
  it(`${name} fails what it had no reply to`, async () => {
    const failing = createClient({ url: (await way).url });
    failing.on('error', () => undefined);
    await failing.connect();
    const driver: Driver = failing;
    const [user, table] = [key('user'), key('table')];
    await failure(unanswered(() => new LockedQuoteInfo(driver).acquire(user, ['3'])));
    const { outcome, ...lock } = await new LockedQuoteInfo(driver).acquire(user, ['3']);
    assert.deepEqual([outcome, lock], ['Held', await locks.getById(user)]);
    await failure(unanswered(() => new VehPrice(driver).claim(table, [1], { ttlMs: 60_000 })));
    await isPending(table);
    await failing.ping(); // it is connected again
    failing.destroy();
  });
}
