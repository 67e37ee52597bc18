// Tables that are filled before users are given their moment.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { type NextMoment, Outage, PriceTables, type Send, Timing } from 'quotelock';

import { key, plainRedis, url } from './harness.js';
import { Upstream, fields, idsFrom, newPod, newPods, newTable, rowsOf } from './pods.js';

const redis = plainRedis();
const timing = new Timing({ ttlMs: 10_000, alignMs: 1000, lagMs: 1900, bufferMs: 1000 });
/** Moments that are filled one by one, at the time when users turn to the one before. */
const slow = new Timing({ ttlMs: 20_000, alignMs: 2000, lagMs: 3900, bufferMs: 1000 });
const ids = idsFrom(1, 50);
/** A thousand days, so that none begins during the tests. */
const AGE_MS = 86_400_000_000;
/** Where it is time at once, and not again for an age. */
const daily = new Timing({ ttlMs: 2 * AGE_MS, alignMs: AGE_MS, lagMs: AGE_MS - 100, bufferMs: 1000 });

describe('keepWarm', () => {
  it('has each table of a moment filled by one of ten pods, before users are on it, until it is stopped', {
    timeout: 40_000,
  }, async () => {
    const names = [key('rules'), key('tags')];
    const fillings: { name: string; moment: string; isEarly: boolean }[] = [];
    const asked = new Map<string, number>();
    const fill = (pod: (typeof pods)[number], name: string) => async (moment: NextMoment) => {
      // Users are on the moment before at the most.
      const isEarly = slow.momentAt(new Date()) < moment.queryTime;
      fillings.push({ name, moment: moment.queryTime, isEarly });
      await sleep(30);
      const fetch = async (ids: string[]) => {
        for (const id of ids)
          asked.set(`${name} ${moment.queryTime} ${id}`, (asked.get(`${name} ${moment.queryTime} ${id}`) ?? 0) + 1);
        return rowsOf(ids);
      };
      await pod.getOrFill(slow.table(moment, name), ids, fetch, { fields });
    };
    const failures: unknown[] = [];
    const options = { leadMs: 2000, onError: (error: unknown) => failures.push(error) };
    const pods = newPods(10);
    // Half-way between two beginnings, for both names to begin with the same one.
    await sleep((slow.lagMs + 1000 - (Date.now() % 2000)) % 2000);
    const warmings = pods.flatMap((pod) => names.map((name) => pod.keepWarm(slow, name, fill(pod, name), options)));
    while (fillings.length < 6) await sleep(10);
    for (const warming of warmings) warming.stop();
    await sleep(500);
    const stopped = fillings.length;
    await sleep(2000);
    assert.equal(fillings.length, stopped, 'it goes on');

    assert.deepEqual(failures, []);
    const moments = new Set(fillings.map(({ moment }) => moment));
    assert.ok(moments.size >= 3, `${moments.size} moments`);
    for (const name of names) {
      const filled = fillings.filter((filling) => filling.name === name).map(({ moment }) => moment);
      assert.deepEqual(filled.sort(), [...moments].sort(), 'each by one pod');
    }
    // The first one may be begun at any time.
    const [first] = [...moments].sort();
    assert.ok(fillings.every(({ moment, isEarly }) => isEarly || moment === first));
    assert.equal(asked.size, moments.size * names.length * ids.length);
    assert.ok(
      [...asked.values()].every((times) => times === 1),
      'upstream was asked twice for a row',
    );
    // And the screens of the last moment wait for nobody.
    const [moment = ''] = [...moments].sort().slice(-1);
    const screen = newPod().getOrFill(slow.table({ queryTime: moment }, names[0] ?? ''), ids, () => assert.fail('asked'), {
      fields,
    });
    assert.equal((await screen).hits, ids.length);
  });

  it('leaves a moment that a pod fails to fill to another, and tells what failed', async () => {
    const [name, failures] = [key('rules'), [] as string[]];
    let calls = 0;
    const fill = async () => {
      calls += 1;
      if (calls === 1) throw new Error('upstream is down');
      return sleep(1000);
    };
    const onError = (error: unknown) => failures.push(String(error));
    const warmings = newPods(3).map((pod) => pod.keepWarm(daily, name, fill, { leadMs: daily.lagMs, onError }));
    while (calls < 2) await sleep(10);
    for (const warming of warmings) warming.stop();
    await sleep(300);
    assert.equal(calls, 2);
    assert.deepEqual(failures, ['FillError: 1 of 1 rows could not be had: upstream is down']);
  });

  it('takes no moment for filled that was not stored, as Redis was down', { timeout: 20_000 }, async () => {
    const [name, outage, failures] = [key('rules'), new Outage({ pauseMs: 200 }), [] as string[]];
    const down = async () => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    };
    const one = newPod({ outage });
    const fill = async (moment: NextMoment) => {
      await outage.run(down, () => undefined);
      await one.getOrFill(daily.table(moment, name), ids, async (ids) => rowsOf(ids), { fields });
      // When it is done, the moment has passed.
      await sleep(300);
      await outage.run(
        async () => undefined,
        () => assert.fail('it is down'),
      );
    };
    const onError = (error: unknown) => failures.push(String(error));
    const warmings = [one.keepWarm(daily, name, fill, { leadMs: daily.lagMs, onError })];
    while (failures.length === 0) await sleep(10);
    const filled: string[] = [];
    const note = async (moment: NextMoment) => filled.push(moment.queryTime);
    warmings.push(newPod().keepWarm(daily, name, note, { leadMs: daily.lagMs }));
    while (filled.length === 0) await sleep(10);
    for (const warming of warmings) warming.stop();
    assert.deepEqual(failures, ['FillError: 1 of 1 rows could not be had: Redis is down']);
  });

  it("uses the server's clock, however wrong a pod's is", async () => {
    const Real = Date;
    for (const byMs of [300_000, -3_600_000, 700]) {
      const early: string[] = [];
      const [moments, failures] = [[] as string[], [] as unknown[]];
      const fill = async ({ queryTime }: NextMoment) => {
        moments.push(queryTime);
        // The server is on this machine. Its clock may be read a little before.
        if (Real.now() < Real.parse(queryTime) + timing.lagMs - 500) early.push(queryTime);
      };
      globalThis.Date = shifted(Real, byMs);
      try {
        const warming = newPod().keepWarm(timing, key('rules'), fill, { leadMs: 500, onError: (error) => failures.push(error) });
        for (const end = performance.now() + 20_000; moments.length < 2 && performance.now() < end; ) await sleep(10);
        warming.stop();
      } finally {
        globalThis.Date = Real;
      }
      assert.deepEqual([early, failures, moments.length >= 2], [[], [], true], `${byMs}: ${moments}`);
    }
  });

  it('reads the clock once for each moment, however many of them it leads by', { timeout: 30_000 }, async () => {
    let looks = 0;
    const driver: Send = async ([name, ...words]) => {
      if (name === 'VEHPRICE.CHANGES') looks += 1;
      return redis.call(name as string, words);
    };
    const ahead: number[] = [];
    const since: number[] = [];
    const fill = async (moment: NextMoment) => {
      since.push(moment.since.getTime());
      ahead.push(moment.since.getTime() - Date.now());
    };
    const short = new Timing({ ttlMs: 10_000, alignMs: 1000, lagMs: 3900, bufferMs: 1000 });
    const pod = new PriceTables(driver, { connect: () => driver });
    const warming = pod.keepWarm(short, key('rules'), fill, { leadMs: 3500 });
    // Three or four are due at once, the others one by one.
    while (ahead.length < 7) await sleep(10);
    warming.stop();
    const first = Math.min(...since);
    assert.deepEqual(
      since.sort((one, other) => one - other),
      since.map((_, at) => first + at * short.alignMs),
    );
    assert.ok(Math.min(...ahead) <= short.alignMs, `${ahead} ms ahead`);
    assert.ok(looks <= 3 * ahead.length, `${looks} looks at the clock for ${ahead.length} moments`);
    assert.ok(Math.max(...ahead) > 2 * short.alignMs, `${ahead} ms ahead`);
  });

  it('lets a filling take longer than an upstream call', { timeout: 30_000 }, async () => {
    const failures: unknown[] = [];
    let isFilled = false;
    const fill = async (_: NextMoment, signal: AbortSignal) => {
      await sleep(600);
      signal.throwIfAborted();
      isFilled = true;
    };
    const pod = newPod({ fetchMs: 100, maxMs: 100 });
    const warming = pod.keepWarm(daily, key('rules'), fill, { leadMs: daily.lagMs, onError: (error) => failures.push(error) });
    while (!isFilled && failures.length === 0) await sleep(10);
    warming.stop();
    assert.deepEqual([isFilled, failures], [true, []]);
  });

  it('ends no process by what its hook throws', async () => {
    let told = 0;
    const onError = () => {
      told += 1;
      throw new Error('hook');
    };
    const fill = async () => {
      throw new Error('upstream is down');
    };
    const warming = newPod().keepWarm(daily, key('rules'), fill, { leadMs: daily.lagMs, onError });
    while (told === 0) await sleep(10);
    await sleep(10); // an unhandled rejection would fail the test
    warming.stop();
  });

  it('refuses a name that makes no key', () => {
    assert.throws(
      () => newPod().keepWarm(timing, 'a{b', async () => undefined),
      /^RangeError: a table's name takes a text without/,
    );
  });

  it('keeps no screen waiting while another pod fills', async () => {
    const names = Array.from({ length: 8 }, () => key('rules'));
    const [filling, pod, table] = [newPod(), newPod({ waitConnections: 1 }), newTable()];
    let begun = 0;
    const fill = async () => {
      begun += 1;
      await sleep(4000);
    };
    const warmings = names.map((name) => filling.keepWarm(daily, name, fill, { leadMs: daily.lagMs }));
    while (begun < names.length) await sleep(5);
    warmings.push(...names.map((name) => pod.keepWarm(daily, name, () => assert.fail('filled twice'), { leadMs: daily.lagMs })));
    await sleep(300);
    const upstream = new Upstream(Number.POSITIVE_INFINITY);
    const first = filling.getOrFill(table, [1], upstream.fetch, { fields });
    await upstream.isAsked();
    const second = pod.getOrFill(table, [1], upstream.fetch, { fields });
    await sleep(500);
    const start = performance.now();
    upstream.answer();
    assert.equal((await second).waited, 1);
    assert.ok(performance.now() - start < 1500, `${performance.now() - start} ms`);
    await first;
    for (const warming of warmings) warming.stop();
  });

  it('tells once that the clock can not be had, and goes on when it can', async () => {
    const failures: string[] = [];
    let isDown = true;
    const driver: Send = async ([name, ...words]) => {
      // Unlike a connection that is refused, this is told at once, however long Redis has to answer.
      if (isDown) throw new Error('no clock');
      return redis.call(name as string, words);
    };
    let filled = 0;
    const fill = async () => {
      filled += 1;
    };
    const pod = new PriceTables(driver, { connect: () => driver, answerMs: 5000 });
    const onError = (error: unknown) => failures.push(String(error));
    const warming = pod.keepWarm(daily, key('rules'), fill, { leadMs: daily.lagMs, onError });
    await sleep(1500);
    isDown = false;
    while (filled === 0) await sleep(10);
    warming.stop();
    assert.deepEqual(failures, ['Error: no clock']);
  });

  it('keeps no process alive', () => {
    const program = `const { PriceTables, Timing } = require('${join(__dirname, '../src/index.js')}');
      const timing = new Timing({ ttlMs: 360000, alignMs: 60000, lagMs: 1000 });
      const tables = new PriceTables(async () => null, { connect: async () => null });
      tables.keepWarm(timing, 'rules', async () => undefined);`;
    execFileSync(process.execPath, ['-e', program], { env: { ...process.env, REDIS_URL: url }, timeout: 60_000 });
  });

  it('refuses what leaves no time', () => {
    for (const [lagMs, leadMs] of [
      [0, undefined],
      [1000, 1001],
      [1000, 0],
    ] as const) {
      const own = new Timing({ ttlMs: 360_000, alignMs: 60_000, lagMs });
      const keep = () => newPod().keepWarm(own, 'rules', async () => undefined, leadMs === undefined ? {} : { leadMs });
      assert.throws(keep, /^RangeError: leadMs takes a time above 0 up to lagMs/);
    }
  });
});

/** A clock that is wrong. */
function shifted(Real: DateConstructor, byMs: number): DateConstructor {
  return class extends Real {
    constructor(...given: number[]) {
      super(...((given.length === 0 ? [Real.now() + byMs] : given) as [number]));
    }

    static override now(): number {
      return Real.now() + byMs;
    }
  } as DateConstructor;
}
