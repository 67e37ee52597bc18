// One call that reads a screen's rows and has fetched what is missing, of all pods by one.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';
import {
  type CommandEvent,
  type Driver,
  type Fetch,
  FillError,
  type PriceTable,
  PriceTableCopies,
  PriceTables,
  type Send,
  VehPrice,
  isUnavailable,
  observed,
} from 'quotelock';

import { failureOf, key, plainRedis, throughEachDriver, url } from './harness.js';
import { Upstream, fields, idsFrom, newPod, newPods, newTable, rowsOf } from './pods.js';

const redis = plainRedis();
const prices = new VehPrice(redis);

describe('getOrFill', () => {
  throughEachDriver((driver, connect) => {
    it('has fetched what is missing, once', async () => {
      const [table, upstream] = [newTable(), new Upstream()];
      // Long claims: who does not give them up keeps the others waiting.
      const newTables = () => new PriceTables(driver(), { connect, claimMs: 60_000, answerMs: 5000 });
      const pods = [newTables(), newTables(), newTables()] as const;
      await prices.mset(table.key, ['price'], [['1', { price: 'own' }]]);
      const { rows, ...told } = await pods[0].getOrFill(table, [1, 2, '99', 2], upstream.fetch, { fields });
      assert.deepEqual(
        rows.map((row) => row && { ...row }),
        [{ price: 'own' }, { price: '4' }, null, { price: '4' }],
      );
      assert.deepEqual(told, { hits: 1, filled: 1, waited: 0, missing: ['99'], unlocked: false });
      // Neither this process nor another asks again for what upstream does not know.
      for (const pod of pods) {
        const again = await pod.getOrFill(table, [2, 99], upstream.fetch, { fields });
        assert.deepEqual([again.hits, again.missing], [1, ['99']]);
      }
      assert.deepEqual(upstream.asked, [['2', '99']]);
      for (const pod of pods) pod.close();
    });

    it('waits on a connection of its own for what another fetches', async () => {
      const [table, upstream, maxMs] = [newTable(), new Upstream(Number.POSITIVE_INFINITY), 60_000];
      const [fetching, waiting] = [newPod({ maxMs }), new PriceTables(driver(), { connect, maxMs, answerMs: 5000 })];
      const first = fetching.getOrFill(table, [1], upstream.fetch, { fields });
      await upstream.isAsked();
      const second = waiting.getOrFill(table, [1], upstream.fetch, { fields });
      await sleep(50);
      // On a connection that waits each would take the rest of a second.
      const start = performance.now();
      for (let calls = 0; calls < 10; calls += 1) await new VehPrice(driver()).len(table.key);
      assert.ok(performance.now() - start < 3000, 'it held up the connection');
      upstream.answer();
      const { rows, waited } = await second;
      assert.deepEqual([rows[0]?.price, waited], ['2', 1]);
      await first;
      assert.deepEqual(upstream.asked, [['1']]);
      waiting.close();
    });
  });

  it('asks for each row once, of ten pods, in parts', async () => {
    const [table, upstream, ids] = [newTable(), new Upstream(100), idsFrom(1000, 1000)];
    const screens = newPods(10, { limit: 300 }).map((pod) => pod.getOrFill(table, ids, upstream.fetch, { fields }));
    for (const { rows, hits, filled, waited, missing } of await Promise.all(screens)) {
      assert.deepEqual(
        rows,
        rowsOf(ids).map(([, { price }]) => ({ price: String(price) })),
      );
      assert.equal(hits + filled + waited, 1000);
      assert.deepEqual(missing, []);
    }
    assert.deepEqual(upstream.askedIds, ids);
    assert.ok(upstream.asked.every((asked) => asked.length <= 300));
  });

  it('claims and waits once for a hundred screens of a pod', async () => {
    const [table, ids, sent] = [newTable(), idsFrom(1000, 200), new Map<string, number>()];
    const [upstream, other] = [new Upstream(300), newPod()];
    const mine = other.getOrFill(table, ids.slice(0, 100), upstream.fetch, { fields });
    await upstream.isAsked();
    const count = ({ command }: CommandEvent) => sent.set(command, (sent.get(command) ?? 0) + 1);
    const pod = new PriceTables(observed(redis, count), { answerMs: 5000 });
    const idsOf = (screen: number) => ids.slice((screen % 5) * 25).slice(0, 100);
    const screens = Array.from({ length: 100 }, (_, at) => pod.getOrFill(table, idsOf(at), upstream.fetch, { fields }));
    for (const [at, { rows, hits, filled, waited }] of (await Promise.all(screens)).entries()) {
      assert.deepEqual(
        rows,
        rowsOf(idsOf(at)).map(([, { price }]) => ({ price: String(price) })),
      );
      assert.equal(hits + filled + waited, 100);
    }
    await mine;
    assert.deepEqual(upstream.askedIds, ids);
    // Each screen reads twice, and for all of them what is missing is claimed.
    const { claims, reads } = { claims: sent.get('VEHPRICE.CLAIM') ?? 0, reads: sent.get('VEHPRICE.MGET') ?? 0 };
    assert.ok(claims >= 5 && claims <= 15, `${claims} claims`);
    assert.ok(reads >= 200 && reads <= 220, `${reads} reads`);
    pod.close();
  });

  it('asks once for a hundred screens that ask for the same, and once more where upstream fails', async () => {
    const [table, ids, sent] = [newTable(), idsFrom(1000, 200), new Map<string, number>()];
    const count = ({ command }: CommandEvent) => sent.set(command, (sent.get(command) ?? 0) + 1);
    const pod = new PriceTables(observed(redis, count), { tries: 2, answerMs: 5000 });
    let calls = 0;
    const fetch: Fetch<'price'> = async (ids) => {
      calls += 1;
      await sleep(50);
      if (calls <= 2) throw new Error('upstream is down');
      return rowsOf(ids);
    };
    const show = () => Array.from({ length: 100 }, () => pod.getOrFill(table, ids, fetch, { fields }));
    const failed = await Promise.all(show().map(failureOf));
    assert.ok(failed.every(({ message }) => message === '200 of 200 rows could not be had: upstream is down'));
    assert.equal(calls, 2);
    const shown = await Promise.all(show());
    assert.equal(calls, 3);
    assert.equal(
      shown.reduce((sum, { filled }) => sum + filled, 0),
      200,
    );
    assert.equal(sent.get('VEHPRICE.CLAIM'), 3);
    pod.close();
  });

  it('waits on four connections at most, which end with the client', async () => {
    const tables = Array.from({ length: 10 }, newTable);
    const [upstream, name] = [new Upstream(2000), key('pod')];
    const show = (pod: PriceTables) => tables.map((table) => pod.getOrFill(table, [1], upstream.fetch, { fields }));
    const mine = show(newPod({ parallel: 10 }));
    while (upstream.asked.length < 10) await sleep(5);
    const client = new Redis(url, { connectionName: name });
    const waiting = show(new PriceTables(client, { answerMs: 5000 }));
    for (const { rows, waited } of await Promise.all(waiting)) assert.deepEqual([rows, waited], [[{ price: '2' }], 1]);
    await Promise.all(mine);
    assert.equal(upstream.asked.length, 10);
    const connections = async () => ((await redis.client('LIST')) as string).split(` name=${name} `).length - 1;
    assert.equal(await connections(), 5);
    await client.quit();
    while ((await connections()) > 0) await sleep(5);
  });

  it('waits on one connection, though the client sends nothing before it is connected, and keeps it after a new start', async () => {
    const name = key('pod');
    const client = new Redis(url, { connectionName: name, enableOfflineQueue: false });
    after(() => client.disconnect());
    const isReady = () => new Promise((resolve) => client.once('ready', resolve));
    const connections = async () => ((await redis.client('LIST')) as string).split(` name=${name} `).length - 1;
    await isReady();
    const pod = new PriceTables(client, { answerMs: 5000 });
    for (const start of [1, 2]) {
      const [table, upstream] = [newTable(), new Upstream(Number.POSITIVE_INFINITY)];
      const mine = newPod({ claimMs: 10_000 }).getOrFill(table, [1], upstream.fetch, { fields });
      await upstream.isAsked();
      const waiting = pod.getOrFill(table, [1], upstream.fetch, { fields });
      while ((await connections()) < 2) await sleep(5);
      await sleep(300);
      assert.equal(await connections(), 2, `start ${start}`);
      upstream.answer();
      assert.deepEqual([(await waiting).waited, upstream.asked], [1, [['1']]]);
      await mine;
      assert.equal(await connections(), 2, `start ${start}, idle`);
      client.disconnect();
      while ((await connections()) > 0) await sleep(5);
      void client.connect();
      await isReady();
    }
  });

  it('waits for no room to fetch what another pod stores', async () => {
    const [busy, table, upstream] = [newTable(), newTable(), new Upstream(Number.POSITIVE_INFINITY)];
    const pod = newPod({ parallel: 1 });
    const first = pod.getOrFill(busy, [1], upstream.fetch, { fields });
    await upstream.isAsked();
    // Of two rows, neither is claimed at first.
    const second = pod.getOrFill(table, [1, 2], upstream.fetch, { fields });
    await sleep(50);
    const other = new Upstream(100);
    await newPod().getOrFill(table, [1, 2], other.fetch, { fields });
    const stored = performance.now();
    assert.deepEqual((await second).rows, [{ price: '2' }, { price: '4' }]);
    assert.ok(performance.now() - stored < 2000);
    // And the room is left to those who need it.
    const third = pod.getOrFill(newTable(), [3], upstream.fetch, { fields });
    upstream.answer();
    assert.deepEqual([(await first).filled, (await third).filled, upstream.asked], [1, 1, [['1'], ['3']]]);
  });

  it('looks again where no connection for waiting can be had', async () => {
    for (const connect of [
      () => new Promise<Driver>(() => undefined),
      () => new Redis('redis://127.0.0.1:1').on('error', () => undefined),
    ]) {
      const [table, upstream] = [newTable(), new Upstream(1500)];
      const first = newPod().getOrFill(table, [1], upstream.fetch, { fields });
      await upstream.isAsked();
      const { rows } = await new PriceTables(redis, { connect, answerMs: 1000 }).getOrFill(table, [1], upstream.fetch, {
        fields,
      });
      assert.deepEqual(rows, [{ price: '2' }]);
      await first;
      assert.deepEqual(upstream.asked, [['1']]);
    }
  });

  it('fills though upstream is always slower than a claim lasts, and asks it once', async () => {
    const [table, upstream, ids] = [newTable(), new Upstream(4000), idsFrom(1, 50)];
    const screens = newPods(5, { claimMs: 3000, maxMs: 20_000 }).map((pod) =>
      pod.getOrFill(table, ids, upstream.fetch, { fields }),
    );
    for (const { rows } of await Promise.all(screens)) assert.ok(rows.every((row) => row !== null));
    assert.deepEqual(upstream.asked, [ids]);
  });

  it('reads copies', async () => {
    const [table, upstream] = [newTable(), new Upstream()];
    const copies = new PriceTableCopies(redis, { maxBytes: 1e6, fields, final: true });
    const pod = newPod();
    const first = await pod.getOrFill(table, [1, 99], upstream.fetch, { fields, copies });
    assert.deepEqual([first.rows, first.filled, first.missing], [[{ price: '2' }, null], 1, ['99']]);
    const { rows, hits } = await pod.getOrFill(table, [1], upstream.fetch, { fields, copies });
    assert.deepEqual([rows, hits, rows[0] === first.rows[0]], [[{ price: '2' }], 1, true]);
  });

  it('stores all that rows bring where no fields are named', async () => {
    const table = newTable();
    const fetch: Fetch = async () => [['1', { price: 2, note: null, more: 'x' }]];
    assert.deepEqual((await newPod().getOrFill(table, [1], fetch)).rows, [{ price: '2', more: 'x' }]);
  });

  it('takes rows without a value for none', async () => {
    const fetch: Fetch<'price'> = async () => [['1', { price: null }]];
    assert.deepEqual((await newPod().getOrFill(newTable(), [1], fetch, { fields })).missing, ['1']);
  });

  it('refreshes rows that are about to expire, by one pod, while all read on', async () => {
    const [table, upstream, ids] = [newTable(), new Upstream(1000), idsFrom(1, 20)];
    const pods = newPods(5);
    await prices.mset(
      table.key,
      fields,
      ids.map((id) => [id, { price: 'old' }]),
      { expiry: { inMs: 5000 } },
    );
    const read = () => Promise.all(pods.map((pod) => pod.getOrFill(table, ids, upstream.fetch, { fields, refreshMs: 10_000 })));
    for (const { rows, hits } of await read()) assert.deepEqual([hits, rows[0]], [20, { price: 'old' }]);
    while ((await prices.get(table.key, 20))?.['price'] === 'old') await sleep(10);
    for (const { rows, hits } of await read()) assert.deepEqual([hits, rows[0]], [20, { price: '2' }]);
    await sleep(50);
    assert.deepEqual(upstream.asked, [ids]);
    assert.ok(((await prices.pttl(table.key, [1]))[0] ?? 0) > 10_000);
  });

  it('refreshes though upstream is slower than a claim lasts', async () => {
    const [table, upstream] = [newTable(), new Upstream(4000)];
    const options = { fields, refreshMs: 10_000 };
    await prices.mset(table.key, fields, [[1, { price: 'old' }]], { expiry: { inMs: 9000 } });
    const pod = newPod({ claimMs: 3000 });
    await pod.getOrFill(table, [1], upstream.fetch, options);
    while ((await prices.get(table.key, 1))?.['price'] === 'old') await sleep(10);
    assert.deepEqual([(await prices.get(table.key, 1))?.['price'], upstream.asked], ['2', [['1']]]);
  });

  it('keeps no screen waiting for a refresh that Redis does not answer, and begins it again', async () => {
    const [table, cold, upstream] = [newTable(), newTable(), new Upstream()];
    const options = { fields, refreshMs: 10_000 };
    await prices.mset(table.key, fields, [[1, { price: 'old' }]], { expiry: { inMs: 9000 } });
    let claims = 0;
    const silent: Send = ([name, ...words]) => {
      const isRefresh = words.includes('REFRESH');
      if (isRefresh) claims += 1;
      return isRefresh && claims === 1 ? new Promise(() => undefined) : redis.call(name as string, words);
    };
    const pod = new PriceTables(silent, { connect: () => redis.duplicate(), parallel: 1, answerMs: 3000 });
    for (let screen = 0; screen < 5; screen += 1) await pod.getOrFill(table, [1], upstream.fetch, options);
    const start = performance.now();
    assert.equal((await pod.getOrFill(cold, [1], upstream.fetch, { fields })).filled, 1);
    assert.ok(performance.now() - start < 2000, 'it waits for the refresh');
    assert.equal(claims, 1);
    while ((await prices.get(table.key, 1))?.['price'] === 'old') {
      await pod.getOrFill(table, [1], upstream.fetch, options);
      await sleep(50);
    }
    pod.close();
  });

  it('stores nothing that was fetched before its row was deleted', async () => {
    const clear = (key: string) => prices.clear(key);
    const del = (key: string) => prices.del(key, [1]);
    for (const end of [del, clear]) {
      const [table, answers] = [newTable(), ['old', 'new']];
      const fetch: Fetch<'price'> = async (ids) => {
        const price = answers.shift() ?? assert.fail('asked too often');
        if (price === 'old') {
          await sleep(200);
          await end(table.key);
          // Claims are renewed twice before it answers.
          await sleep(2300);
        }
        return ids.map((id) => [id, { price: `${price} ${id}` }]);
      };
      const { rows } = await newPod({ claimMs: 3000 }).getOrFill(table, [1, 2], fetch, { fields });
      const second = end === del ? 'old 2' : 'new 2';
      assert.deepEqual(rows, [{ price: 'new 1' }, { price: second }]);
    }
  });

  it('fetches without claims where the server has no room for more', async () => {
    const [table, upstream] = [newTable(), new Upstream()];
    const [, before] = (await redis.config('GET', 'quotelock.max-claims')) as [string, string];
    await redis.config('SET', 'quotelock.max-claims', 0);
    try {
      const { rows, filled } = await newPod().getOrFill(table, [1, 2], upstream.fetch, { fields });
      assert.deepEqual([rows, filled], [[{ price: '2' }, { price: '4' }], 2]);
    } finally {
      await redis.config('SET', 'quotelock.max-claims', before);
    }
    assert.equal(await prices.len(table.key), 2);
  });

  it('refuses options and drivers that make no sense', () => {
    for (const limit of [0, -1, 1.5, Number.NaN, '5' as unknown as number]) {
      assert.throws(() => new PriceTables(redis, { limit }), /^RangeError: limit takes a whole number from 1 on, not /);
    }
    assert.throws(() => new PriceTables(async () => null), /^TypeError: .* takes connect/);
  });
});

describe('getOrFill, where upstream fails,', () => {
  it('tries again, then says what failed, and lets another pod claim at once', async () => {
    const table = newTable();
    let calls = 0;
    const fetch: Fetch<'price'> = async (ids) => {
      calls += 1;
      if (calls !== 2) throw Object.assign(new Error('upstream is down'), { code: 'ECONNREFUSED' });
      return rowsOf(ids);
    };
    const pod = newPod({ tries: 2, claimMs: 60_000 });
    assert.deepEqual((await pod.getOrFill(table, [1], fetch, { fields })).rows, [{ price: '2' }]);
    assert.equal(calls, 2);
    await newPod().getOrFill(table, [99], new Upstream().fetch, { fields });
    const error = await failureOf(pod.getOrFill(table, [1, 2, 99], fetch, { fields }));
    assert.ok(error instanceof FillError);
    assert.equal(error.message, '1 of 3 rows could not be had: upstream is down');
    assert.deepEqual([error.filled.rows, error.failed, error.filled.missing], [[{ price: '2' }, null, null], ['2'], ['99']]);
    assert.equal(calls, 4);
    // An upstream that can't be reached is no Redis that can't.
    assert.equal(isUnavailable(error), false);
    assert.deepEqual((await prices.claim(table.key, [2], { ttlMs: 1000 })).claimed, ['2']);
  });

  it('takes no longer than maxMs, and the next screen has the rows', async () => {
    const [table, upstream] = [newTable(), new Upstream(Number.POSITIVE_INFINITY)];
    const pod = newPod({ maxMs: 1000 });
    const start = performance.now();
    const error = await failureOf(pod.getOrFill(table, [1], upstream.fetch, { fields }));
    assert.equal(error.message, '1 of 1 rows could not be had: no answer within 1000 ms');
    assert.ok(performance.now() - start < 4000);
    upstream.answer();
    while ((await prices.len(table.key)) === 0) await sleep(5);
    assert.equal((await pod.getOrFill(table, [1], upstream.fetch, { fields })).hits, 1);
    assert.deepEqual(upstream.asked, [['1']]);
  });

  it('gives an upstream call up after fetchMs, and tells it so', async () => {
    let aborted = 0;
    const fetch: Fetch<'price'> = (_, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted += 1;
          reject(signal.reason);
        });
      });
    const pod = newPod({ fetchMs: 100, tries: 1 });
    const error = await failureOf(pod.getOrFill(newTable(), [1], fetch, { fields }));
    assert.match(error.message, /could not be had: upstream did not answer within 100 ms$/);
    assert.equal(aborted, 1);
  });

  it('tells no upstream call that answered that it was given up, however busy the process was', async () => {
    let told: AbortSignal | undefined;
    const fetch: Fetch<'price'> = async (ids, signal) => {
      told = signal;
      setTimeout(() => {
        for (const end = performance.now() + 100; performance.now() < end; );
      }, 50);
      await sleep(110); // both are due when the process has time again
      return rowsOf(ids);
    };
    assert.equal((await newPod({ fetchMs: 100 }).getOrFill(newTable(), [1], fetch, { fields })).filled, 1);
    await sleep(20);
    assert.equal(told?.aborted, false);
  });

  it('says that the time was up where another pod holds the claim for longer', async () => {
    const [table, upstream] = [newTable(), new Upstream()];
    await prices.claim(table.key, ['1'], { ttlMs: 60_000 });
    const error = await failureOf(newPod({ maxMs: 200 }).getOrFill(table, ['1'], upstream.fetch, { fields }));
    assert.equal(error.message, '1 of 1 rows could not be had: no answer within 200 ms');
    assert.deepEqual(upstream.asked, []);
  });

  it('answers what was fetched, once, where it would have expired by the time it is stored', async () => {
    const table = { ...newTable(), expiry: { at: Date.now() - 1000 } };
    const upstream = new Upstream(50);
    const pod = newPod({ claimMs: 60_000 });
    const screens = await Promise.all([1, 2].map(() => pod.getOrFill(table, [1, 99], upstream.fetch, { fields })));
    for (const { rows, missing } of screens) assert.deepEqual([rows, missing], [[{ price: '2' }, null], ['99']]);
    assert.deepEqual(
      [screens.map(({ filled, waited }) => [filled, waited]), upstream.asked],
      [
        [
          [1, 0],
          [0, 1],
        ],
        [['1', '99']],
      ],
    );
    // And it holds no claim.
    assert.deepEqual((await prices.claim(table.key, [1], { ttlMs: 1000 })).claimed, ['1']);
  });

  it('says so where rows have expired before they are read', async () => {
    const table: PriceTable = { ...newTable(), expiry: { inMs: 1 } };
    const slow: Send = async ([name, ...words]) => {
      const reply = await redis.call(name as string, words);
      if (name === 'VEHPRICE.MSET') await sleep(20);
      return reply;
    };
    const pod = new PriceTables(slow, { connect: () => redis.duplicate(), tries: 1 });
    const error = await failureOf(pod.getOrFill(table, [1], new Upstream().fetch, { fields }));
    assert.equal(error.message, '1 of 1 rows could not be had: what was stored has expired, or was deleted');
  });

  it('fails with what is wrong with its rows, and claims nothing any more', async () => {
    const table = newTable();
    const fetch = async () => [['1', { price: {} }]] as never;
    const error = await failureOf(newPod({ claimMs: 60_000 }).getOrFill(table, [1], fetch, { fields }));
    assert.match(error.message, /^VEHPRICE.MSET takes strings and numbers alone, field 'price' of row '1' is of type object$/);
    assert.deepEqual((await prices.claim(table.key, [1], { ttlMs: 1000 })).claimed, ['1']);
  });
});

it('getOrFill may read from a replica at first, and then asks the primary', async () => {
  const sent: [string | undefined, boolean][] = [];
  const noting: Send = async ([name, ...words], _key, readOnly) => {
    sent.push([name, readOnly]);
    return redis.call(name as string, words);
  };
  await new PriceTables(noting, { connect: () => noting }).getOrFill(newTable(), [1], new Upstream().fetch, { fields });
  assert.deepEqual(sent, [
    ['VEHPRICE.MGET', true],
    ['VEHPRICE.CLAIM', false],
    ['VEHPRICE.MGET', false], // of what is unknown
    ['VEHPRICE.MSET', false],
    ['VEHPRICE.MGET', false],
  ]);
});

describe('getOrFill, where replies are lost,', () => {
  /** A pod to which calls fail on the way, as the first of its `MSET`s for a while, carried out or not. */
  function failing(command: string, forMs: number, isCarriedOut: boolean): PriceTables {
    const client = new Redis(url);
    after(() => client.disconnect());
    let until: number | undefined;
    const lost: Send = async ([name, ...words]) => {
      if (name !== command) return client.call(name as string, words);
      until ??= performance.now() + forMs;
      if (performance.now() > until) return client.call(name, words);
      if (isCarriedOut) await client.call(name, words);
      throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    };
    return new PriceTables(lost, { connect: () => client.duplicate(), answerMs: 5000, maxMs: 20_000 });
  }

  for (const command of ['VEHPRICE.MGET', 'VEHPRICE.CLAIM', 'VEHPRICE.MSET', 'VEHPRICE.RELEASE']) {
    for (const isCarriedOut of [true, false]) {
      it(`asks for each row once: ${command}, ${isCarriedOut ? 'carried out' : 'not carried out'}`, async () => {
        const [table, upstream] = [newTable(), new Upstream()];
        const screen = failing(command, 300, isCarriedOut).getOrFill(table, [1, 2, 99], upstream.fetch, { fields });
        await sleep(50);
        // Another pod meanwhile.
        const other = newPod().getOrFill(table, [1, 2, 99], upstream.fetch, { fields });
        for (const { rows } of await Promise.all([screen, other])) assert.deepEqual(rows, [{ price: '2' }, { price: '4' }, null]);
        assert.deepEqual(upstream.askedIds, ['1', '2', '99']);
      });
    }
  }
});
