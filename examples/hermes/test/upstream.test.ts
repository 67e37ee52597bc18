import assert from 'node:assert/strict';
import test from 'node:test';

import { Book, type BookOptions } from '../upstream/book.js';
import { UpstreamClient, UpstreamError } from '../upstream/client.js';
import { NO_FAULTS } from '../upstream/faults.js';
import { Upstream } from '../upstream/server.js';

const options: BookOptions = {
  seed: 1,
  vehicles: 100,
  priceChangesPerSecond: 12,
  tagChangesPerSecond: 20,
  maxCommitMs: 200,
};
const noon = Date.parse('2026-11-23T12:00:00.000Z');
const roles = ['3', '7'];

test('a moment older than the longest commit has one answer for ever', () => {
  const [book, other] = [new Book(options), new Book(options)];
  for (let at = 0; at < 3000; at += 7) {
    const moment = noon + at;
    const early = book.rules('Core', '103', roles, moment, moment + options.maxCommitMs);
    assert.deepEqual(early, other.rules('Core', '103', ['7', '3'], moment, moment + 3_600_000));
    const tags = book.tags('4042', '3', moment, moment + options.maxCommitMs);
    assert.deepEqual(tags, other.tags('4042', '3', moment, moment + 3_600_000));
  }
});

test('a moment asked before the commit, or before it has come, can have another answer later', () => {
  const book = new Book(options);
  const differ = (early: number) => {
    let changed = 0;
    for (let at = 0; at < 3000; at += 1) {
      const ask = (now: number) => JSON.stringify(book.rules('Core', '103', roles, noon + at, now));
      if (ask(noon + at - early) !== ask(noon + at + 3_600_000)) changed += 1;
    }
    return changed;
  };
  assert.ok(differ(0) > 0, 'asked at the moment itself');
  assert.ok(differ(2500) > differ(0), 'asked of the future');
});

test('prices change at the rate that was asked for, and differ by roles and by pricing', () => {
  const book = new Book(options);
  let changes = 0;
  for (let pricing = 100; pricing < 124; pricing += 1) {
    let last = '';
    for (let at = 0; at < 60_000; at += 100) {
      const rules = JSON.stringify(book.rules('Core', String(pricing), roles, noon + at, noon + 3_600_000));
      if (last && rules !== last) changes += 1;
      last = rules;
    }
  }
  assert.ok(changes > 12 * 55 && changes <= 12 * 62, `${changes} changes in a minute`);
  const at = (pricing: 'Core' | 'Legacy', of: string[]) => book.rules(pricing, '103', of, noon, noon + 1000);
  assert.notDeepEqual(at('Core', roles), at('Core', ['9']));
  assert.notDeepEqual(at('Core', roles), at('Legacy', roles));
});

test('each vehicle stands in one parking lot', () => {
  const lots = new Book({ ...options, vehicles: 60 }).parkingLots();
  assert.deepEqual(
    lots.map(({ vehicleIds }) => vehicleIds.length),
    [25, 25, 10],
  );
  const all = Array.from({ length: 60 }, (_, at) => String(4000 + at));
  assert.deepEqual(
    lots.flatMap(({ vehicleIds }) => vehicleIds),
    all,
  );
});

test('what is not known is left out, in the book and over gRPC', async () => {
  const upstream = new Upstream(new Book(options), NO_FAULTS);
  const client = new UpstreamClient(`127.0.0.1:${await upstream.listen()}`);
  try {
    const moment = new Date(noon).toISOString();
    const tags = await client.tags(['4000', '4099', '4100', 'x'], '3', moment);
    assert.deepEqual([...tags.keys()], ['4000', '4099']);
    assert.deepEqual(tags.get('4000'), upstream.book.tags('4000', '3', noon, Date.now()));
    const rules = await client.rules('Legacy', ['100', '99'], roles, moment);
    assert.deepEqual([...rules], [['100', upstream.book.rules('Legacy', '100', roles, noon, Date.now())]]);
    assert.deepEqual(await client.parkingLots(), upstream.book.parkingLots());
    assert.deepEqual(await client.parkingLots(['4', '5']), upstream.book.parkingLots().slice(3));
    await assert.rejects(client.tags(['4000'], '3', 'soon'), UpstreamError);
    assert.equal(client.calls, 5, 'a call that is wrong is not made again');

    upstream.faults = { ...NO_FAULTS, failShare: 1 };
    await assert.rejects(client.tags(['4000'], '3', moment), UpstreamError);
    assert.equal(client.calls, 8, 'one that fails is made three times');
    upstream.faults = { ...NO_FAULTS, failShare: 1, delayMs: 50 };
    setTimeout(() => (upstream.faults = NO_FAULTS), 60);
    assert.equal((await client.rules('Core', ['100'], roles, moment)).size, 1, 'until it is answered');
  } finally {
    client.close();
    upstream.close();
  }
});
