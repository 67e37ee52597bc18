// How long the drivers wait, and what waits in the server: a time-out is put off, or the call refused before it is sent.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { type Driver, VehPrice } from 'quotelock';

import { IOREDIS, NODE_REDIS, failureOf, glideClient, key, plainRedis, url } from './harness.js';
import { Upstream, fields, newPods, newTable } from './pods.js';

const redis = plainRedis();
const prices = new VehPrice(redis);

/** Waits for a row that is claimed and stored after a while. Rows, and how long it took. */
async function wait(driver: Driver, { blockMs, storedAfterMs }: { blockMs: number; storedAfterMs: number }) {
  const table = key('table');
  const { token } = await prices.claim(table, [1], { ttlMs: 60_000 });
  const start = performance.now();
  const store = () => prices.mset(table, ['a'], [[1, { a: 'x' }]], { token: token ?? '' });
  const timer = setTimeout(store, storedAfterMs);
  try {
    const rows = await new VehPrice(driver).mget(table, [1], { fields: ['a'], blockMs });
    return { rows, ms: performance.now() - start };
  } finally {
    clearTimeout(timer);
  }
}

/** What is refused, is so at once, and nothing was sent. */
async function refused(driver: Driver, blockMs: number, message: RegExp): Promise<void> {
  const start = performance.now();
  const error = await failureOf(new VehPrice(driver).mget(key('table'), [1], { blockMs }));
  assert.ok(error instanceof RangeError, String(error));
  assert.match(error.message, message);
  assert.ok(performance.now() - start < 1000);
}

for (const [name, { Redis }] of Object.entries(IOREDIS)) {
  describe(name, { concurrency: true }, () => {
    for (const options of [{}, { enableAutoPipelining: true }]) {
      it(`counts commandTimeout from the end of the wait, with ${JSON.stringify(options)}`, async () => {
        const hasty = new Redis(url, { commandTimeout: 1500, ...options });
        await hasty.ping();
        for (const blockMs of [5000, 0]) {
          const { rows, ms } = await wait(hasty, { blockMs, storedAfterMs: 2500 });
          assert.deepEqual(rows, [{ a: 'x' }]);
          assert.ok(ms >= 2000, String(ms));
        }
        assert.deepEqual((await wait(hasty, { blockMs: 300, storedAfterMs: 5000 })).rows, [null]);
        hasty.disconnect();
      });
    }

    it('gives up where the server does not answer in that time either', async () => {
      const hasty = new Redis(url, { commandTimeout: 1500 });
      await hasty.ping();
      // The first waits on this connection, and the second for the first.
      const first = wait(hasty, { blockMs: 4000, storedAfterMs: 5000 });
      const error = await failureOf(wait(hasty, { blockMs: 300, storedAfterMs: 5000 }));
      assert.equal(error.message, 'Command timed out');
      assert.deepEqual((await first).rows, [null]);
      hasty.disconnect();
    });

    it('refuses to wait for longer than socketTimeout', async () => {
      const hasty = new Redis(url, { socketTimeout: 3000 });
      for (const blockMs of [3000, 5000])
        await refused(hasty, blockMs, /^VEHPRICE\.MGET is to wait for \d+ ms, but .* socketTimeout is 3000 ms/);
      await refused(hasty, 0, /^VEHPRICE\.MGET is to wait without limit/);
      assert.deepEqual((await wait(hasty, { blockMs: 300, storedAfterMs: 5000 })).rows, [null]);
      hasty.disconnect();
    });

    it('fails after commandTimeout or maxRetriesPerRequest where there is no server', async () => {
      for (const options of [{ commandTimeout: 100 }, { maxRetriesPerRequest: 1 }]) {
        const away = new Redis('redis://127.0.0.1:1', options);
        away.on('error', () => undefined);
        await failureOf(new VehPrice(away).get('t', 1));
        away.disconnect();
      }
    });
  });
}

for (const [name, { createClient, createClientPool }] of Object.entries(NODE_REDIS)) {
  describe(name, { concurrency: true }, () => {
    it('waits for longer than timeout, which ends once a call is sent', async () => {
      const hasty = await createClient({ url, commandOptions: { timeout: 1500 } }).connect();
      assert.deepEqual((await wait(hasty, { blockMs: 5000, storedAfterMs: 2500 })).rows, [{ a: 'x' }]);
      hasty.destroy();
    });

    it('refuses to wait for longer than socketTimeout', async () => {
      const hasty = await createClient({ url, socket: { socketTimeout: 3000 } }).connect();
      const pool = createClientPool({ url, socket: { socketTimeout: 3000 } });
      await pool.connect();
      for (const driver of [hasty, pool]) {
        await refused(driver, 3000, /^VEHPRICE\.MGET is to wait for 3000 ms, but .* socketTimeout is 3000 ms/);
        await refused(driver, 0, /without limit/);
        assert.deepEqual((await wait(driver, { blockMs: 300, storedAfterMs: 5000 })).rows, [null]);
      }
      hasty.destroy();
      pool.destroy();
    });
  });
}

it('GLIDE refuses to wait for longer than requestTimeout', async () => {
  const hasty = await glideClient(url, { requestTimeout: 3000 });
  await refused(hasty, 3000, /^VEHPRICE\.MGET is to wait for 3000 ms, but .* requestTimeout is 3000 ms/);
  await refused(hasty, 0, /without limit/);
  assert.deepEqual((await wait(hasty, { blockMs: 300, storedAfterMs: 5000 })).rows, [null]);
  hasty.close();
  const untold = await glideClient(url, { requestTimeout: undefined });
  await refused(untold, 250, /requestTimeout is 250 ms/);
  untold.close();
});

it('getOrFill waits for as long as it is told, however long', async () => {
  const [table, upstream, longest] = [newTable(), new Upstream(300), Number.MAX_SAFE_INTEGER];
  const pods = newPods(2, { maxMs: longest, fetchMs: longest, answerMs: longest });
  for (const { rows } of await Promise.all(pods.map((pod) => pod.getOrFill(table, [1], upstream.fetch, { fields }))))
    assert.deepEqual(rows, [{ price: '2' }]);
  assert.deepEqual(upstream.asked, [['1']]);
});
