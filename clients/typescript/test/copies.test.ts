// Copies of tables before a feigned server: which request answers a call, what is kept, and when it goes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import { type CopiesOptions, PriceTableCopies, type Reason, ServerError } from 'quotelock';

import { FeignedServer, group, standingClock } from './feigned.js';

/** Copies of tables of one field, `a`, and their server. */
function feigned(options: Partial<CopiesOptions<'a'>> = {}) {
  const server = new FeignedServer();
  const copies = new PriceTableCopies(server.driver, { maxBytes: 1e6, fields: ['a'], ...options });
  return { server, copies, copy: copies.of('t') };
}

describe('calls at the same time', () => {
  it('share a round trip if there is no pause between them', async () => {
    const { server, copy, copies } = feigned();
    const calls = Promise.all([copy.row(1), copy.rows(['1', '2']), copies.of('t').all()]);
    await server.answer({ groups: [group({ 1: 'x' })] });
    const [row, rows, all] = await calls;
    assert.deepEqual([row, rows, [...all]], [{ a: 'x' }, [{ a: 'x' }, null], [['1', { a: 'x' }]]]);
    assert.equal(rows[0], row);
    assert.equal(server.asked, 1);
  });

  it('are not answered by a request that was sent before them', async () => {
    const { server, copy } = feigned();
    const early = copy.row(1);
    await turn();
    assert.equal(server.asked, 1);
    // What is written now may be in the answer that is under way, or not.
    const late = [copy.row(1)];
    await turn();
    late.push(copy.row(1), copy.row('1'));
    await turn();
    assert.equal(server.asked, 1);
    await server.answer({ groups: [group({ 1: 'before' })] });
    assert.deepEqual(await early, { a: 'before' });
    assert.deepEqual(server.requests[0]?.words.slice(0, 3), ['VEHPRICE.CHANGES', 't', 'r-1']);
    // The late ones' request is under way now: who comes now waits for another.
    const later = copy.row(1);
    await server.answer({ groups: [group({ 1: 'after' })] });
    for (const row of await Promise.all(late)) assert.deepEqual(row, { a: 'after' });
    await server.answer({ deleted: ['1'] });
    assert.equal(await later, null);
    assert.equal(server.asked, 3);
  });

  it('see what their own answer brings, after others that brought nothing', async () => {
    const { server, copy } = feigned();
    const read = async (changes: Parameters<typeof server.answer>[0] = {}) => {
      const call = copy.rows([1, 2]);
      await server.answer(changes);
      return (await call).map((row) => row?.a ?? null).join();
    };
    assert.equal(await read({ groups: [group({ 1: 'x', 2: 'y' }, 100)] }), 'x,y');
    for (const changes of [
      { groups: [group({ 2: 'Y' }, 100)] },
      { deleted: ['2'] },
      { whole: true, groups: [group({ 2: 'z' }, 100)] },
    ]) {
      const before = await read();
      assert.equal(await read(), before);
      assert.notEqual(await read(changes), before);
    }
    assert.equal(await read(), ',z');
    assert.equal(await read({ now: 100 }), ',');
    // Neither do calls share what they are given.
    const [one, other] = [copy.rows([1]), copy.rows([1])];
    await server.answer();
    assert.notEqual(await one, await other);
  });

  it('fail by their own request alone', async () => {
    const { server, copy } = feigned();
    const lost = new Error('Socket closed unexpectedly');
    const early = Promise.allSettled([copy.row(1), copy.rows([1])]);
    await turn();
    const late = copy.row(1);
    await server.fail(lost);
    for (const result of await early) assert.deepEqual(result, { status: 'rejected', reason: lost });
    await server.answer({ groups: [group({ 1: 'x' })] });
    assert.deepEqual(await late, { a: 'x' });
  });

  it('of different tables wait for none but their own', async () => {
    const { server, copies } = feigned();
    const one = assert.rejects(copies.of('one').row(1), /lost/);
    const other = copies.of('other').row(1);
    await turn();
    assert.deepEqual(
      server.requests.map(({ words }) => words[1]),
      ['one', 'other'],
    );
    const [first, second] = server.requests;
    second?.resolve(JSON.stringify({ revision: 'r', now: 0, whole: true, groups: [group({ 1: 'x' })], deleted: [] }));
    assert.deepEqual(await other, { a: 'x' });
    first?.reject(new Error('lost'));
    await one;
  });
});

describe('what is asked', () => {
  it('goes to the primary, with the fields', async () => {
    const { server, copy } = feigned();
    const call = copy.row(1);
    await turn();
    assert.equal(server.requests[0]?.readOnly, false);
    assert.deepEqual(await server.answer(), ['VEHPRICE.CHANGES', 't', '0', 'FIELDS', '1', 'a', 'JSON']);
    assert.equal(await call, null);
    const whole = new PriceTableCopies(server.driver, { maxBytes: 1e6 }).of('t').all();
    assert.deepEqual(await server.answer(), ['VEHPRICE.CHANGES', 't', '0', 'JSON']);
    await whole;
  });

  it('is nothing without ids, or with what is no id', async () => {
    const { server, copy } = feigned();
    assert.deepEqual(await copy.rows([]), []);
    for (const id of [undefined, null, true, {}]) {
      await assert.rejects(copy.rows(['1', id as string]), {
        name: 'TypeError',
        message: /^a copy takes strings and numbers alone, id 2 is /,
      });
      await assert.rejects(copy.row(id as string), TypeError);
    }
    // biome-ignore lint/suspicious/noSparseArray: it lacks an id
    await assert.rejects(copy.rows(['1', , '2'] as string[]), TypeError);
    assert.equal(server.asked, 0);
  });

  it('are the ids as they were when it was called', async () => {
    const { server, copy } = feigned();
    const ids = ['1', '2'];
    const call = copy.rows(ids);
    ids[0] = '2';
    await server.answer({ groups: [group({ 1: 'x', 2: 'y' })] });
    assert.deepEqual(await call, [{ a: 'x' }, { a: 'y' }]);
  });
});

describe('what is answered', () => {
  it('is frozen, and the same until it changes', async () => {
    const { server, copy } = feigned();
    const read = async (changes: Parameters<typeof server.answer>[0]) => {
      const call = copy.all();
      await server.answer(changes);
      return call;
    };
    const first = await read({ groups: [group({ 1: 'x', 2: 'y' }), group({ 3: 'z' }, 50)] });
    const [one, two] = [first.get('1'), first.get('2')];
    assert.ok(Object.isFrozen(one) && Object.isFrozen(two) && Object.isFrozen(first));
    assert.throws(() => Object.assign(one ?? {}, { a: 'z' }), TypeError);
    assert.equal(await read({ now: 49 }), first);
    // It is no `Map`, so that there is no way to change it.
    assert.ok(!(first instanceof Map) && !('set' in first));
    assert.throws(() => Map.prototype.set.call(first, '1', {}), TypeError);
    first.forEach((_, __, all) => {
      assert.equal(all, first);
    });
    assert.deepEqual(
      [[...first.keys()], [...first.values()], first.size, first.has('4')],
      [['1', '2', '3'], [one, two, { a: 'z' }], 3, false],
    );
    assert.deepEqual([...first], [...first.entries()]);

    const second = await read({ groups: [group({ 2: 'Y' })], deleted: ['1'] });
    assert.deepEqual(
      new Map(first),
      new Map([
        ['1', one],
        ['2', two],
        ['3', { a: 'z' }],
      ]),
    );
    assert.deepEqual(
      new Map(second),
      new Map([
        ['2', { a: 'Y' }],
        ['3', { a: 'z' }],
      ]),
    );
    const third = await read({ now: 50 });
    assert.deepEqual([second.size, [...third]], [2, [['2', { a: 'Y' }]]]);
    assert.equal(await read({ now: 51 }), third);
    const fourth = await read({ whole: true, groups: [group({ 5: 'v' })] });
    assert.deepEqual([[...third.keys()], [...fourth.keys()]], [['2'], ['5']]);
  });

  it('has what ids and fields are called in it, and no more', async () => {
    const server = new FeignedServer();
    const copy = new PriceTableCopies(server.driver, { maxBytes: 1e6 }).of('__proto__');
    const call = copy.rows(['__proto__', 'constructor', 7, -0, '0']);
    const fields = ['__proto__', 'toString'];
    await server.answer({
      groups: [
        {
          expiresAt: null,
          fields,
          ids: ['__proto__', '7', '0'],
          columns: [
            ['x', 'y', 'z'],
            ['1', '2', '3'],
          ],
        },
      ],
    });
    const [row, ...others] = await call;
    assert.equal(JSON.stringify(row), '{"__proto__":"x","toString":"1"}');
    assert.equal(Object.getPrototypeOf(row), Object.prototype);
    assert.deepEqual(
      others.map((row) => row?.['toString'] ?? null),
      [null, '2', '3', '3'],
    );
    assert.deepEqual(Object.keys(Object.prototype), []);
  });
});

describe('rows that expire', () => {
  standingClock();

  it("expire by the server's clock, each at its own time", async () => {
    const { server, copy } = feigned();
    const left = async (now: number, changes: Parameters<typeof server.answer>[0] = {}) => {
      const call = copy.all();
      await server.answer({ now, ...changes });
      return [...(await call).keys()].join();
    };
    const groups = [group({ 1: 'x', 2: 'x' }, 100), group({ 3: 'x' }, 50), group({ 4: 'x' }), group({ 5: 'x' }, 200)];
    assert.equal(await left(10, { groups }), '1,2,3,4,5');
    assert.equal(await left(49), '1,2,3,4,5');
    assert.equal(await left(50), '1,2,4,5');
    // Written again, with a later expiry and with an earlier one.
    assert.equal(
      await left(60, { groups: [group({ 1: 'y' }, 300), group({ 4: 'y' }, 70), group({ 6: 'y' }, 100)] }),
      '1,2,4,5,6',
    );
    // As at first again.
    assert.equal(await left(60, { groups: [group({ 6: 'y' }, 65)] }), '1,2,4,5,6');
    assert.equal(await left(61, { groups: [group({ 6: 'y' }, 100)] }), '1,2,4,5,6');
    assert.equal(await left(70), '1,2,5,6');
    assert.equal(await left(100), '1,5');
    assert.equal(await left(199, { groups: [group({ 7: 'x' }, 200)] }), '1,5,7');
    assert.equal(await left(200), '1');
    // Gone before, and here again.
    assert.equal(await left(200, { groups: [group({ 2: 'z', 1: 'z' }, 400)] }), '1,2');
    assert.equal(await left(399), '1,2');
    assert.equal(await left(400), '');
  });
});

describe('final rows', () => {
  const clock = standingClock();

  /** A copy of a table that has 1 and 2 until 1000, 3 until 1500 and 4 for ever, read when the server's clock was at 100. */
  async function final() {
    const all = feigned({ final: true });
    const call = all.copy.rows([1, 2]);
    await turn();
    clock.now += 7; // a request takes its time
    await all.server.answer({ now: 100, groups: [group({ 1: 'x', 2: 'x' }, 1000), group({ 3: 'x' }, 1500), group({ 4: 'x' })] });
    await call;
    assert.equal(all.server.asked, 1);
    return all;
  }

  it('are answered without a round trip until they expire', async () => {
    const { server, copy } = await final();
    assert.deepEqual(await copy.rows([4, 2, '1', 2]), Array(4).fill({ a: 'x' }));
    clock.now += 892; // the server's clock is at 999 at most
    assert.deepEqual(await copy.rows([1, 2, 3, 4]), Array(4).fill({ a: 'x' }));
    assert.equal(server.asked, 1);
    clock.now += 1;
    assert.deepEqual(await copy.rows([3, 4]), Array(2).fill({ a: 'x' }));
    assert.equal(server.asked, 1);
    // It may have come to 1000: the server says that it has not, and then that it has.
    const early = copy.row(1);
    await server.answer({ now: 994 });
    assert.deepEqual(await early, { a: 'x' });
    clock.now += 5;
    assert.deepEqual(await copy.row(2), { a: 'x' });
    assert.equal(server.asked, 2);
    clock.now += 1;
    const late = copy.rows([1, 4]);
    await server.answer({ now: 1000 });
    assert.deepEqual(await late, [null, { a: 'x' }]);
  });

  it('are asked for together where one is missing', async () => {
    const { server, copy } = await final();
    const calls = Promise.all([copy.rows([1, 5]), copy.row(6), copy.row(4)]);
    assert.deepEqual(await copy.rows([1, 2]), [{ a: 'x' }, { a: 'x' }]);
    await server.answer({ now: 200, groups: [group({ 5: 'y' }, 1000)] });
    assert.deepEqual(await calls, [[{ a: 'x' }, { a: 'y' }], null, { a: 'x' }]);
    assert.equal(server.asked, 2);
    assert.deepEqual(await copy.row(5), { a: 'y' });
    assert.equal(server.asked, 2);
    const all = copy.all();
    await server.answer({ now: 200 });
    assert.deepEqual([...(await all).keys()], ['1', '2', '3', '4', '5']);
  });

  it('are answered while the server is away, and missing ones fail', async () => {
    const { server, copy } = await final();
    const missing = assert.rejects(copy.rows([1, 5]), /^Error: Connection is closed\.$/);
    await server.fail(new Error('Connection is closed.'));
    await missing;
    assert.deepEqual(await copy.row(1), { a: 'x' });
  });
});

describe('a failure', () => {
  class ReplyError extends Error {}
  const cases: [Error, string | undefined, boolean][] = [
    [new Error('Connection is closed.'), undefined, true],
    [new ReplyError('LOADING Redis is loading the dataset in memory'), 'role', true],
    [new ReplyError('CLUSTERDOWN Hash slot not served'), 'role', true],
    [new ReplyError('TRYAGAIN Multiple keys request during rehashing of slot'), 'role', true],
    [new ReplyError("ERR unknown command 'VEHPRICE.CHANGES', with args beginning with: 't' "), 'module', false],
    [new ReplyError('WRONGTYPE Operation against a key holding the wrong kind of value'), 'type', false],
    [new ReplyError("NOPERM User default has no permissions to run the 'vehprice.changes' command"), 'access', false],
    [new ReplyError("ERR invalid revision 'r-1', expected 0 or what the last call returned"), 'call', false],
  ];
  for (const [error, reason, isKept] of cases) {
    it(`${isKept ? 'keeps' : 'ends'} the copy: ${error.message}`, async () => {
      const { server, copy, copies } = feigned();
      const first = copy.row(1);
      await server.answer({ groups: [group({ 1: 'x' })] });
      await first;
      const failing = copy.row(1).catch((error: unknown) => error);
      await server.fail(error);
      const failure = await failing;
      if (reason === undefined) assert.equal(failure, error);
      else assert.ok(failure instanceof ServerError && failure.reason === (reason as Reason), String(failure));
      assert.equal(copies.bytes > 0, isKept);
      const again = copy.row(1);
      const words = await server.answer(isKept ? {} : { groups: [group({ 1: 'y' })] });
      assert.equal(words[2], isKept ? 'r-1' : '0');
      assert.deepEqual(await again, { a: isKept ? 'x' : 'y' });
    });
  }

  it('of an answer that is none leaves the revision as it was', async () => {
    const { server, copy } = feigned();
    const first = copy.row(1);
    await server.answer({ groups: [group({ 1: 'x' })] });
    await first;
    const broken = copy.row(1).catch((error: unknown) => error);
    await server.answer({ groups: [null as never] });
    assert.ok((await broken) instanceof TypeError);
    const again = copy.row(1);
    assert.equal((await server.answer())[2], 'r-1');
    assert.deepEqual(await again, { a: 'x' });
  });
});
