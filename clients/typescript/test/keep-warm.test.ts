// Tables that are filled before users are given their moment.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { type NextMoment, Timing } from 'quotelock';

import { key, url } from './harness.js';
import { fields, idsFrom, newPod, newPods, rowsOf } from './pods.js';

const timing = new Timing({ ttlMs: 10_000, alignMs: 1000, lagMs: 1900, bufferMs: 1000 });
const ids = idsFrom(1, 50);

describe('keepWarm', () => {
  it('has each table of a moment filled by one of ten pods, before users are on it, until it is stopped', async () => {
    const names = [key('rules'), key('tags')];
    const fillings: { name: string; moment: string; isEarly: boolean }[] = [];
    const asked = new Map<string, number>();
    const fill = (pod: (typeof pods)[number], name: string) => async (moment: NextMoment) => {
      // Users are on the moment before at the most.
      const isEarly = timing.momentAt(new Date()) < moment.queryTime;
      fillings.push({ name, moment: moment.queryTime, isEarly });
      await sleep(30);
      const fetch = async (ids: string[]) => {
        for (const id of ids)
          asked.set(`${name} ${moment.queryTime} ${id}`, (asked.get(`${name} ${moment.queryTime} ${id}`) ?? 0) + 1);
        return rowsOf(ids);
      };
      await pod.getOrFill(timing.table(moment, name), ids, fetch, { fields });
    };
    const failures: unknown[] = [];
    const options = { leadMs: 1500, onError: (error: unknown) => failures.push(error) };
    const pods = newPods(10);
    const warmings = pods.flatMap((pod) => names.map((name) => pod.keepWarm(timing, name, fill(pod, name), options)));
    await sleep(3500);
    for (const warming of warmings) warming.stop();
    await sleep(500);
    const stopped = fillings.length;
    await sleep(1200);
    assert.equal(fillings.length, stopped, 'it goes on');

    assert.deepEqual(failures, []);
    const moments = new Set(fillings.map(({ moment }) => moment));
    assert.ok(moments.size >= 3, `${moments.size} moments`);
    for (const name of names) {
      const filled = fillings.filter((filling) => filling.name === name).map(({ moment }) => moment);
      assert.deepEqual(filled.sort(), [...moments].sort(), 'each by one pod');
    }
    assert.ok(fillings.every(({ isEarly }) => isEarly));
    assert.equal(asked.size, moments.size * names.length * ids.length);
    assert.ok(
      [...asked.values()].every((times) => times === 1),
      'upstream was asked twice for a row',
    );
    // And the screens of the last moment wait for nobody.
    const [moment = ''] = [...moments].sort().slice(-1);
    const screen = newPod().getOrFill(timing.table({ queryTime: moment }, names[0] ?? ''), ids, () => assert.fail('asked'), {
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
    // Where it is time at once, and not again for a while.
    const slow = new Timing({ ttlMs: 60_000, alignMs: 10_000, lagMs: 9900, bufferMs: 1000 });
    const warmings = newPods(3).map((pod) => pod.keepWarm(slow, name, fill, { leadMs: 9900, onError }));
    while (calls < 2) await sleep(10);
    for (const warming of warmings) warming.stop();
    await sleep(300);
    assert.equal(calls, 2);
    assert.deepEqual(failures, ['FillError: 1 of 1 rows could not be had: upstream is down']);
  });

  it('keeps no process alive', () => {
    const program = `const { PriceTables, Timing } = require('${join(__dirname, '../src/index.js')}');
      const timing = new Timing({ ttlMs: 360000, alignMs: 60000, lagMs: 1000 });
      const tables = new PriceTables(async () => null, { connect: async () => null });
      tables.keepWarm(timing, 'rules', async () => undefined);`;
    execFileSync(process.execPath, ['-e', program], { env: { ...process.env, REDIS_URL: url }, timeout: 10_000 });
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
