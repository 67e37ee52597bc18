// The call sites that services have with their own class compile here and behave as they did; and what there is beyond them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { type BindOptions, type Driver, type LockedInfoReturn, LockedQuoteInfo, type Logger, ServerError } from 'quotelock';

import { failureOf, key, plainRedis, throughEachDriver } from './harness.js';

const redis = plainRedis();
const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();

/** A class of a test's own. */
function bound(driver: Driver, options?: BindOptions): typeof LockedQuoteInfo {
  return class Bound extends LockedQuoteInfo {
    static {
      Bound.bind(driver, options);
    }
  };
}

/** As services keep locks without the module. */
const old = {
  async get(user: string) {
    const value = await redis.get(`hermes:LockedQuoteInfo:${user}`);
    return value === null ? undefined : JSON.parse(value);
  },
  set: (user: string, quote: object) => redis.set(`hermes:LockedQuoteInfo:${user}`, JSON.stringify(quote), 'EX', 360),
};

describe('LockedQuoteInfo', () => {
  throughEachDriver((driver) => {
    it('reads what old pods write, and they read what it writes', async () => {
      const Bound = bound(driver());
      const userId = key('42');
      const lockedQuoteInfo = new Bound(userId);
      assert.equal(await lockedQuoteInfo.getById(userId), undefined);
      const quote = { roleIds: ['3', '7'], queryTime: ago(0) };
      await old.set(userId, quote);
      const lock: LockedInfoReturn | undefined = await lockedQuoteInfo.getById(userId);
      assert.deepEqual(lock, { ...quote, state: 'Effective' });
      await old.set(userId, { ...quote, queryTime: ago(305) });
      assert.equal((await lockedQuoteInfo.getById(userId))?.state, 'CloseToExpired');
      await lockedQuoteInfo.setById(userId, quote.roleIds, quote.queryTime);
      assert.equal(await redis.get(`hermes:LockedQuoteInfo:${userId}`), JSON.stringify(quote));
      const ttl = await redis.ttl(`hermes:LockedQuoteInfo:${userId}`);
      assert.ok(ttl > 350 && ttl <= 360, String(ttl));
      assert.deepEqual(await old.get(userId), quote);
    });

    it('acquires in one step, and deletes', async () => {
      const Bound = bound(driver());
      const userId = key('42');
      const pods = await Promise.all(['3', '7', '9'].map((role) => new Bound(userId).acquire(userId, [role])));
      assert.deepEqual(pods.map((pod) => pod.outcome).sort(), ['Created', 'Held', 'Held']);
      const locks = new Bound();
      for (const { outcome, ...lock } of pods) assert.deepEqual(lock, await locks.getById(userId));
      await locks.setById(userId, [3], new Date(ago(305)));
      assert.equal((await locks.acquire(userId, ['3'], { ifMissing: true })).outcome, 'Held');
      const { outcome, queryTime } = await locks.acquire(userId, ['3'], { alignSeconds: 60 });
      assert.equal(outcome, 'Refreshed');
      assert.equal(await locks.deleteById(userId, { ifEq: ago(0) }), false);
      assert.equal(await locks.deleteById(userId, { ifEq: queryTime }), true);
      assert.equal(await locks.deleteById(userId), false);
      const at = ago(20);
      assert.equal((await locks.acquire(userId, ['3'], { queryTime: at })).queryTime, at);
    });

    it('keeps the locks of sessions for 30 minutes, under a prefix of their own', async () => {
      class SessionQuoteInfo extends LockedQuoteInfo {
        protected override readonly TTL_IN_SEC = 30 * 60;
        protected override readonly BUFFER_IN_SEC = 5 * 60;
      }
      SessionQuoteInfo.bind(driver(), { prefix: 'rent:LockedQuoteInfo:' });
      const [userId, accessToken] = [key('42'), 'a1b2c3'];
      const locks = new SessionQuoteInfo(userId);
      const session = `${userId}:${accessToken}`;
      const { outcome, ...lock } = await locks.acquire(session, ['3']);
      assert.deepEqual(await locks.getById(session), lock);
      assert.equal(await new (bound(driver()))().getById(session), undefined);
      const stored = async () => JSON.parse((await redis.get(`rent:LockedQuoteInfo:${session}`)) ?? '');
      assert.deepEqual(await stored(), { roleIds: ['3'], queryTime: lock.queryTime, ttlMs: 1_800_000, bufferMs: 300_000 });
      const ttl = await redis.ttl(`rent:LockedQuoteInfo:${session}`);
      assert.ok(ttl > 1790 && ttl <= 1800, String(ttl));
      await locks.setById(session, ['7'], ago(1501));
      assert.equal((await locks.getById(session))?.state, 'CloseToExpired');
      assert.equal((await stored()).ttlMs, 1_800_000);
      await locks.deleteById(session);
      await locks.acquire(session, ['7'], { ttlMs: 60_000, bufferMs: 1 });
      assert.deepEqual([(await stored()).ttlMs, (await stored()).bufferMs], [60_000, 1]);
      assert.equal(LockedQuoteInfo.key(session, 'rent:LockedQuoteInfo:'), `rent:LockedQuoteInfo:${session}`);
    });
  });

  it('takes the ttl from the static side of a subclass too', async () => {
    class Short extends bound(redis) {
      static override readonly TTL_IN_SEC = 90;
    }
    const userId = key('42');
    await new Short(userId).setById(userId, ['3'], ago(0));
    const stored = JSON.parse((await redis.get(LockedQuoteInfo.key(userId))) ?? '');
    assert.deepEqual([stored.ttlMs, stored.bufferMs], [90_000, undefined]);
  });

  it('is bound once, and a subclass by itself', async () => {
    class Own extends LockedQuoteInfo {}
    await assert.rejects(new Own('42').getById('42'), { message: /^Own is not bound to a client: call Own\.bind\(client\)/ });
    const early = new Own();
    const asked: string[] = [];
    const through = (name: string) => async () => {
      asked.push(name);
      return 'null';
    };
    LockedQuoteInfo.bind(through('all'));
    class Other extends LockedQuoteInfo {}
    Other.bind(through('other'));
    for (const locks of [new LockedQuoteInfo(), early, new Other(), new (class extends Other {})()]) await locks.getById('42');
    assert.deepEqual(asked, ['all', 'all', 'other', 'other']);
  });

  it("throws the service's own errors", async () => {
    class ServiceError extends Error {
      constructor(
        readonly code: 'REDIS_GET_DATA_FAILURE' | 'REDIS_SET_DATA_FAILURE',
        cause: unknown,
      ) {
        super(code, { cause });
      }
    }
    const mapError: BindOptions['mapError'] = (call, error) =>
      new ServiceError(call === 'get' ? 'REDIS_GET_DATA_FAILURE' : 'REDIS_SET_DATA_FAILURE', error);
    const prefix = `${key('prefix')}:`;
    const locks = new (bound(redis, { prefix, mapError }))('42');
    await redis.rpush(`${prefix}42`, 'x');
    const cases: [() => Promise<unknown>, string][] = [
      [() => locks.getById('42'), 'REDIS_GET_DATA_FAILURE'],
      [() => locks.setById('42', ['3'], ago(0)), 'REDIS_SET_DATA_FAILURE'],
      [() => locks.acquire('42', ['3']), 'REDIS_SET_DATA_FAILURE'],
      [() => locks.deleteById('42'), 'REDIS_SET_DATA_FAILURE'],
    ];
    for (const [call, code] of cases) {
      const error = await failureOf(call());
      assert.ok(error instanceof ServiceError && error.cause instanceof ServerError);
      assert.deepEqual([error.code, error.cause.code], [code, 'WRONGTYPE']);
    }
    const plain = new (bound(redis, { prefix }))('42');
    assert.ok((await failureOf(plain.getById('42'))) instanceof ServerError);
  });

  it("tells the service's logger, which never sees a session's token", async () => {
    const lines: [level: string, message: string, user: unknown][] = [];
    const line = (level: string) => (message: string, details: object) => {
      lines.push([level, message, (details as { userId: unknown }).userId]);
      assert.ok(!JSON.stringify(details).includes('secret'));
    };
    const logger: Logger = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
    const prefix = `${key('prefix')}:`;
    const locks = new (bound(redis, { logger, prefix }))('42');
    const session = '42:secret';
    await locks.getById(session);
    await locks.acquire(session, ['3']);
    await locks.acquire(session, ['3']);
    await locks.getById(session);
    await locks.setById(session, ['3'], ago(0));
    await locks.deleteById(session);
    await locks.deleteById(session);
    await redis.rpush(`${prefix}${session}`, 'x');
    await failureOf(locks.getById(session));
    const away = new (bound(() => Promise.reject(new Error('Connection is closed.')), { logger }))();
    await failureOf(away.setById(7, ['3'], ago(0)));
    assert.deepEqual(lines, [
      ['debug', 'no lock', '42'],
      ['info', 'lock Created', '42'],
      ['debug', 'lock Held', '42'],
      ['debug', 'lock is Effective', '42'],
      ['info', 'lock set', '42'],
      ['info', 'lock deleted', '42'],
      ['info', 'no lock to delete', '42'],
      ['error', 'lock could not be read', '42'],
      ['warn', 'lock could not be written', 7],
    ]);
  });
});
