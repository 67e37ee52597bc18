import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { type Driver, LockedQuoteInfo, PricePlan, QuoteLock, type Reason, ServerError, VehPrice } from 'quotelock';

import { IOREDIS, NODE_REDIS, key, plainRedis, throughEachDriver, url } from './harness.js';

const redis = plainRedis();

/** The error a call ends with. */
async function refusal(call: Promise<unknown>): Promise<ServerError> {
  const error = await call.then(
    () => assert.fail('it was not refused'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ServerError, String(error));
  return error;
}

describe('ServerError', () => {
  throughEachDriver((driver) => {
    it('says why the server refused', async () => {
      const list = key('list');
      await redis.rpush(list, 'x');
      const broken = key('toggle');
      await redis.set(broken, '5');
      const locks = new QuoteLock(driver());
      const prices = new VehPrice(driver());
      const plans = (toggle: string) => new PricePlan(driver(), toggle);
      const cases: [() => Promise<unknown>, Reason, string, string, RegExp][] = [
        [() => locks.get(list), 'type', 'WRONGTYPE', 'QUOTELOCK.GET', /^WRONGTYPE Operation against/],
        [() => prices.clear(list), 'type', 'WRONGTYPE', 'VEHPRICE.CLEAR', /^WRONGTYPE /],
        [() => locks.acquire(key(), ['']), 'call', 'ERR', 'QUOTELOCK.ACQUIRE', /^ERR invalid roleIds, id 1 is empty$/],
        [() => locks.set(key(), [], 'soon'), 'call', 'ERR', 'QUOTELOCK.SET', /^ERR invalid queryTime 'soon'/],
        [() => locks.acquire(key(), [], '*', { ttlMs: 1.5 }), 'call', 'ERR', 'QUOTELOCK.ACQUIRE', /^ERR value is not an integer/],
        [() => prices.set(key(), '', { a: 1 }), 'call', 'ERR', 'VEHPRICE.SET', /^ERR invalid id '', expected 1 to 256 bytes/],
        [
          () => prices.mget(key(), [1], { blockMs: -1 }),
          'call',
          'ERR',
          'VEHPRICE.MGET',
          /^ERR timeout is negative, BLOCK requires/,
        ],
        [() => prices.mget(key(), [1], { blockMs: 1.5 }), 'call', 'ERR', 'VEHPRICE.MGET', /^ERR timeout is not an integer/],
        [() => prices.mget(key(), [1, '']), 'call', 'ERR', 'VEHPRICE.MGET', /^ERR invalid id '', expected 1 to 256 bytes/],
        [
          () => prices.mget(key(), ['\ud800']),
          'call',
          'ERR',
          'VEHPRICE.MGET',
          /^ERR invalid JSON at byte \d+, expected ids like/,
        ],
        [() => prices.mget(key(), [1], { fields: [] }), 'call', 'ERR', 'VEHPRICE.MGET', /^ERR value is not an integer/],
        [() => prices.changes(key(), '1'), 'call', 'ERR', 'VEHPRICE.CHANGES', /^ERR invalid revision '1', expected 0 or what/],
        [() => prices.claim(key(), [''], { ttlMs: 1 }), 'call', 'ERR', 'VEHPRICE.CLAIM', /^ERR invalid id ''/],
        [() => prices.mset(key(), ['a', 'a'], [[1, { a: 1 }]]), 'call', 'ERR', 'VEHPRICE.MSET', /^ERR .*field 'a' is repeated$/],
        [() => prices.mset(key(), ['a'], [['', { a: 1 }]]), 'call', 'ERR', 'VEHPRICE.MSET', /^ERR invalid id ''/],
        [
          () => prices.mset(key(), null, [['4711', { '': 1 }]]),
          'call',
          'ERR',
          'VEHPRICE.MSET',
          /^ERR invalid row '4711', field ''/,
        ],
        [() => prices.set(key(), 1, {}), 'call', 'ERR', 'VEHPRICE.SET', /^ERR /],
        [() => plans(key()).route(['_old']), 'call', 'ERR', 'PRICEPLAN.ROUTE', /^ERR invalid id '_old'/],
        [
          () => plans(broken).tag(['571']),
          'toggle',
          'ERR',
          'PRICEPLAN.TAG',
          /^ERR invalid value '5' in the toggle, expected 1 or old/,
        ],
      ];
      for (const [call, reason, code, command, message] of cases) {
        const error = await refusal(call());
        assert.deepEqual([error.reason, error.code, error.command], [reason, code, command], error.message);
        assert.match(error.message, message);
        assert.equal(error.name, 'ServerError');
        assert.ok(error.cause instanceof Error);
      }
    });
  });

  it('says what a user may not do', async () => {
    const user = key('user');
    await redis.call('ACL', 'SETUSER', user, 'on', '>secret', '%R~*', '+quotelock.get', '+quotelock.set', '+info');
    const address = new URL(url);
    address.username = user;
    address.password = 'secret';
    const one = Object.values(IOREDIS).map(({ Redis }) => new Redis(address.href));
    const two = Object.values(NODE_REDIS).map(({ createClient }) => createClient({ url: address.href }));
    await Promise.all(two.map((redis) => redis.connect()));
    for (const driver of [...one, ...two]) {
      const locks = new QuoteLock(driver);
      assert.equal(await locks.get(key()), null);
      assert.equal((await refusal(locks.set(key(), []))).reason, 'access');
      assert.equal((await refusal(locks.del(key()))).reason, 'access');
    }
    await Promise.all([...one.map((redis) => redis.quit()), ...two.map((redis) => redis.close())]);
    await redis.call('ACL', 'DELUSER', user);
  });

  it('tells the reasons apart by what the server says', async () => {
    class ReplyError extends Error {}
    const cases: [string, Reason][] = [
      ["ERR wrong number of arguments for 'quotelock.get' command", 'call'],
      ['ERR too many ids, 3 are more than quotelock.max-batch, 2', 'call'],
      ["OOM command not allowed when used memory > 'maxmemory'.", 'full'],
      ["READONLY You can't write against a read only replica.", 'role'],
      ['NOREPLICAS Not enough good replicas to write.', 'role'],
      ['MISCONF Errors writing to the AOF file: No space left on device', 'role'],
      ['CLUSTERDOWN Hash slot not served', 'role'],
      ['TRYAGAIN Multiple keys request during rehashing of slot', 'role'],
      ['BUSY Redis is busy running a script.', 'role'],
      ["ERR syntax error, unknown option 'FOO' for 'vehprice.mset'", 'call'],
      ['ERR syntax error, expected PX, usage: VEHPRICE.CLAIM key PX milliseconds [TOKEN token] …', 'call'],
      ['NOAUTH Authentication required.', 'access'],
      ['MOVED 3999 127.0.0.1:6381', 'other'],
      ["ERR internal error, see the server's log", 'other'],
    ];
    const unknown = await refusal(new QuoteLock((words) => redis.call('QUOTELOCK.NONE', words)).get('user'));
    assert.equal(unknown.reason, 'module', unknown.message);
    for (const [message, reason] of cases) {
      const error = await refusal(new QuoteLock(() => Promise.reject(new ReplyError(message))).get('user'));
      assert.deepEqual([error.reason, error.message], [reason, message]);
    }
  });

  it('says that the module is older than this client', async () => {
    class ReplyError extends Error {}
    /** What a server with the first 0.1.0 answers to this client. */
    const answer = (command: string, args: string[]) => {
      const name = command.toLowerCase();
      if (name === 'vehprice.mset' && args.length < 7) return `ERR wrong number of arguments for '${name}' command`;
      const word = args.find((arg) => /^(COLUMNS|LIST)$/.test(arg) || (arg === 'JSON' && name === 'vehprice.mset'));
      return `ERR syntax error, '${word}' is not a word of '${name}'`;
    };
    let said = '';
    const prices = new VehPrice(async ([command = '', ...args]) => {
      said = answer(command, args);
      throw new ReplyError(said);
    });
    const fields = ['a'] as const;
    const rows = [[1, { a: 1 }]] as const;
    const options = { condition: 'NX', expiry: { inMs: 1 }, token: '0'.repeat(32) } as const;
    const cases: [() => Promise<unknown>, string, RegExp][] = [
      [() => prices.mget('t', [1]), 'VEHPRICE.MGET', /'LIST'/],
      [() => prices.mget('t', [1], { fields, raw: ['a'], blockMs: 1 }), 'VEHPRICE.MGET', /'LIST'/],
      [() => prices.mget('t', [1], { fields }), 'VEHPRICE.MGET', /'COLUMNS'/],
      [() => prices.claim('t', [1], { ttlMs: 1 }), 'VEHPRICE.CLAIM', /'LIST'/],
      [() => prices.claim('t', [1], { ttlMs: 1, fields }), 'VEHPRICE.CLAIM', /'COLUMNS'/],
      [() => prices.mset('t', fields, rows), 'VEHPRICE.MSET', /wrong number/],
      [() => prices.mset('t', fields, rows, options), 'VEHPRICE.MSET', /'COLUMNS'/],
      [() => prices.mset('t', null, rows, options), 'VEHPRICE.MSET', /'JSON'/],
    ];
    for (const [call, command, wrong] of cases) {
      const error = await refusal(call());
      assert.deepEqual([error.reason, error.code, error.command], ['module', 'ERR', command]);
      assert.match(said, wrong);
      assert.equal(error.message, `${said}: the module on the server is older than this client and must be upgraded`);
      assert.equal((error.cause as Error).message, said);
    }
    // A mistake of the caller's is none of the module's.
    const mistake = await refusal(new VehPrice(redis).set(key(), 1, { a: 1 }, { condition: 'nX!' as 'NX' }));
    assert.equal(mistake.reason, 'call', mistake.message);
  });

  it("leaves the driver's own errors as they are", async () => {
    const closed = { lazyConnect: true, enableOfflineQueue: false };
    const one = Object.values(IOREDIS).map(({ Redis }) => new Redis(url, closed));
    const two = Object.values(NODE_REDIS).map(({ createClient }) => createClient({ url }));
    const drivers: Driver[] = [...one, ...two, () => Promise.reject(new TypeError('ERR not of the server'))];
    for (const driver of drivers) {
      const error = await new QuoteLock(driver).get('user').catch((error: unknown) => error);
      assert.ok(error instanceof Error && !(error instanceof ServerError), String(error));
    }
    for (const redis of one) redis.disconnect();
  });
});

describe('an argument that is neither text nor number', () => {
  throughEachDriver((driver) => {
    it('is refused before anything is sent, by its row and field', async () => {
      const prices = new VehPrice(driver());
      const locks = new QuoteLock(driver());
      const plans = new PricePlan(driver(), key('toggle'));
      const [table, user] = [key('table'), key('user')];
      const kinds: [unknown, string][] = [
        [undefined, 'undefined'],
        [null, 'null'],
        [true, 'of type boolean'],
        [{ net: 1 }, 'of type object'],
        [[1], 'an array'],
      ];
      for (const [given, kind] of kinds) {
        const it = given as string;
        const calls: [() => Promise<unknown>, string][] = [
          [() => prices.get(table, it), 'VEHPRICE.GET takes strings and numbers alone, argument 2 is'],
          [() => prices.mget(table, [1, it]), 'VEHPRICE.MGET takes strings and numbers alone, id 2 is'],
          [() => prices.claim(table, ['1', it], { ttlMs: 1000 }), 'VEHPRICE.CLAIM takes strings and numbers alone, id 2 is'],
          [
            () => prices.set(table, 4711, { a: 1, price: it }),
            "VEHPRICE.SET takes strings and numbers alone, field 'price' of row '4711' is",
          ],
          [
            () => prices.verify(table, 4711, { price: it }),
            "VEHPRICE.VERIFY takes strings and numbers alone, field 'price' of row '4711' is",
          ],
          [
            () =>
              prices.mset(
                table,
                ['a'],
                [
                  [1, { a: 1 }],
                  [it, { a: 1 }],
                ],
              ),
            'VEHPRICE.MSET takes strings and numbers alone, the id of row 2 is',
          ],
          [() => prices.mset(table, null, [[it, { a: 1 }]]), 'VEHPRICE.MSET takes strings and numbers alone, the id of row 1 is'],
          [() => plans.tag([571, it]), 'PRICEPLAN.TAG takes strings and numbers alone, id 2 is'],
          [() => locks.acquire(user, ['3', it]), 'QUOTELOCK.ACQUIRE takes strings and numbers alone, role id 2 is'],
          [async () => LockedQuoteInfo.key(it), 'LockedQuoteInfo takes strings and numbers alone, the user is'],
        ];
        if (given !== undefined && given !== null) {
          const rows = [['4711', { a: 1, price: 5 }] as const, [4712, { a: 1, price: it }] as const];
          const message = "VEHPRICE.MSET takes strings and numbers alone, field 'price' of row '4712' is";
          calls.push([() => prices.mset(table, ['a', 'price'], rows), message], [() => prices.mset(table, null, rows), message]);
        }
        for (const [call, message] of calls) await assert.rejects(call(), { name: 'TypeError', message: `${message} ${kind}` });
      }
      await assert.rejects(prices.mget(table, new Array(2)), { message: /id 1 is undefined/ });
      assert.equal(await redis.exists(table, user), 0);
    });
  });
});
