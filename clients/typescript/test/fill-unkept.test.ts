// Rows that the table can't keep are answered all the same; what is not there in time is told.
import assert from 'node:assert/strict';
import { after, it } from 'node:test';

import { FillError, PriceTables, VehPrice } from 'quotelock';

import { failureOf, plainRedis } from './harness.js';
import { Upstream, fields, newPod, newPods, newTable } from './pods.js';

const redis = plainRedis();

it('answers what upstream said of a moment whose table has expired, and leaves no claim', async () => {
  const [table, upstream] = [{ ...newTable(), expiry: { at: Date.now() - 1000 } }, new Upstream(50)];
  const answers = await Promise.all(newPods(3).map((pod) => pod.getOrFill(table, ['1', '2', '99'], upstream.fetch, { fields })));
  for (const { rows, filled, waited, missing } of answers) {
    assert.deepEqual(rows, [{ price: '2' }, { price: '4' }, null]);
    assert.deepEqual([filled, waited, missing], [2, 0, ['99']]);
  }
  assert.ok(upstream.asked.length <= 3, 'each pod asks once');
  assert.equal(await redis.exists(table.key), 0);
  const { claimed } = await new VehPrice(redis).claim(table.key, ['1', '2'], { ttlMs: 1000 });
  assert.deepEqual(claimed, ['1', '2']);
});

it('answers rows that Redis has lost after they were stored', async () => {
  const [table, upstream] = [newTable(), new Upstream()];
  const pod = new PriceTables(
    async ([command = '', ...args]) => {
      const reply = await redis.call(command, args);
      if (command === 'VEHPRICE.MSET') await redis.call('VEHPRICE.CLEAR', table.key);
      return reply;
    },
    { connect: () => redis.duplicate() },
  );
  after(() => pod.close());
  const { rows, filled, missing } = await pod.getOrFill(table, ['1'], upstream.fetch, { fields });
  assert.deepEqual([rows, filled, missing], [[{ price: '2' }], 1, []]);
  assert.deepEqual(upstream.asked, [['1']]);
  assert.equal((await newPod().getOrFill(table, ['1'], upstream.fetch, { fields })).filled, 1, 'they are fetched again');
});

it('says that the time was up where another pod holds the claim', async () => {
  const [table, upstream] = [newTable(), new Upstream()];
  await new VehPrice(redis).claim(table.key, ['1'], { ttlMs: 60_000 });
  const error = await failureOf(newPod({ maxMs: 200 }).getOrFill(table, ['1'], upstream.fetch, { fields }));
  assert.ok(error instanceof FillError);
  assert.match(String(error.upstream), /^TimeoutError: no answer within 200 ms$/);
  assert.deepEqual(upstream.asked, []);
});
