// What comes of a reply that is lost, whether the driver sends the call again by itself or not.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { QuoteLock, ServerError, VehPrice } from 'quotelock';

import { IOREDIS, NODE_REDIS, failureOf, glideClient, key, plainRedis, url } from './harness.js';
import { wayTo } from './way.js';

const redis = plainRedis();
const locks = new QuoteLock(redis);
const prices = new VehPrice(redis);

/** A way to the server on which the next reply can be lost, and the connection with it. */
const way = wayTo(url);
after(async () => (await way).close());

/** The call, with its first reply lost. */
async function unanswered<T>(call: () => Promise<T>): Promise<T> {
  (await way).losesNext = true;
  return call();
}

/** What the driver itself fails with. */
async function failure(call: Promise<unknown>): Promise<void> {
  const error = await failureOf(call);
  assert.ok(!(error instanceof ServerError), String(error));
}

/** Another pod is given the claims, though their time is not over. */
async function canBeClaimed(table: string): Promise<void> {
  for (let tries = 100; tries > 0; tries -= 1) {
    const { token, claimed } = await prices.claim(table, [1], { ttlMs: 60_000 });
    if (token !== null) return assert.deepEqual(claimed, ['1']);
    await sleep(20);
  }
  assert.fail('still claimed');
}

for (const [name, { Redis }] of Object.entries(IOREDIS)) {
  it(`${name} sends again what it had no reply to`, async () => {
    const failing = new Redis((await way).url);
    failing.on('error', () => undefined);
    await failing.ping();
    const [user, table] = [key('user'), key('table')];
    const { outcome, ...lock } = await unanswered(() => new QuoteLock(failing).acquire(user, ['3']));
    assert.deepEqual([outcome, lock], ['Held', await locks.get(user)]);
    const rows = [['2', { a: 1 }]] as const;
    const through = new VehPrice(failing);
    assert.equal(await unanswered(() => through.mset(table, ['a'], rows, { condition: 'NX' })), 0);
    assert.deepEqual(await prices.mget(table, [2]), [{ a: '1' }]);
    assert.equal(await unanswered(() => through.del(table, [2])), 0);
    const { token, claimed } = await unanswered(() => through.claim(table, [1], { ttlMs: 60_000 }));
    assert.deepEqual(claimed, ['1']);
    assert.equal(await through.mset(table, ['a'], [[1, { a: 1 }]], { token: token ?? '' }), 1);
    failing.disconnect();
  });
}

for (const [name, { createClient }] of Object.entries(NODE_REDIS)) {
  it(`${name} fails what it had no reply to`, async () => {
    const failing = createClient({ url: (await way).url });
    failing.on('error', () => undefined);
    await failing.connect();
    const [user, table] = [key('user'), key('table')];
    await failure(unanswered(() => new QuoteLock(failing).acquire(user, ['3'])));
    const { outcome, ...lock } = await new QuoteLock(failing).acquire(user, ['3']);
    assert.deepEqual([outcome, lock], ['Held', await locks.get(user)]);
    await failure(unanswered(() => new VehPrice(failing).claim(table, [1], { ttlMs: 60_000 })));
    await canBeClaimed(table);
    // A caller that has a token of its own can ask again, and its claims stay.
    const own = key('table');
    const claim = () => new VehPrice(failing).claim(own, [1], { ttlMs: 60_000, token: 'ab'.repeat(16) });
    await failure(unanswered(claim));
    assert.deepEqual((await prices.claim(own, [1], { ttlMs: 60_000 })).pending, ['1']);
    assert.deepEqual((await claim()).claimed, ['1']);
    failing.destroy();
  });
}

it('GLIDE loses no claim, whether it sends again or not', async () => {
  const failing = await glideClient((await way).url);
  const table = key('table');
  const claim = await unanswered(() => new VehPrice(failing).claim(table, [1], { ttlMs: 60_000 })).catch(() => undefined);
  if (claim) assert.deepEqual(claim.claimed, ['1']);
  else await canBeClaimed(table);
  failing.close();
});

describe('claims', () => {
  it('are under tokens that the client makes, 32 hex digits, each another', async () => {
    const tokens = new Set<string>();
    const through = new VehPrice((words) => {
      tokens.add(words[words.indexOf('TOKEN') + 1] ?? '');
      return redis.call(words[0] as string, words.slice(1));
    });
    for (let round = 0; round < 3; round += 1) {
      const { token } = await through.claim(key('table'), [1], { ttlMs: 1000 });
      assert.match(token ?? '', /^[0-9a-f]{32}$/);
      assert.ok(tokens.has(token ?? ''));
    }
    assert.equal(tokens.size, 3);
    const table = key('table');
    await prices.claim(table, [1], { ttlMs: 1000 });
    assert.deepEqual(await prices.claim(table, [1], { ttlMs: 1000 }), { token: null, rows: [null], claimed: [], pending: ['1'] });
  });

  it('are given up where the reply was too long, and left alone where the call was refused otherwise', async () => {
    const sent: string[][] = [];
    class ReplyError extends Error {}
    const through = (message: string) =>
      new VehPrice(async (words) => {
        sent.push(words);
        throw new ReplyError(message);
      });
    await failureOf(through('ERR the reply would be longer than 1 byte').claim('t', [1], { ttlMs: 1 }));
    const [[, , , , , token] = [], release] = sent.splice(0);
    assert.deepEqual(release, ['VEHPRICE.RELEASE', 't', token]);
    await failureOf(through('WRONGTYPE Operation against a key').claim('t', [1], { ttlMs: 1 }));
    await failureOf(through('ERR the reply would be longer').claim('t', [1], { ttlMs: 1, token: 'ab'.repeat(16) }));
    assert.deepEqual(
      sent.map(([command]) => command),
      ['VEHPRICE.CLAIM', 'VEHPRICE.CLAIM'],
    );
  });
});
