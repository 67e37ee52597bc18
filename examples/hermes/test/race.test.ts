import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { TracedCall } from '../api/trace.js';
import { type Reply, judge } from '../demo/race.js';
import type { Quote } from '../service/quotes.js';

const call = (name: string, reply = ''): TracedCall => ({ to: 'redis', name, count: 1, args: '', reply, at: 0, ms: 1 });

/** A map of three scooters, of which the last has no price. Its prices are what each costs a minute. */
function reply(pod: string, perMinute: [number, number], ...calls: TracedCall[]): Reply {
  const scooters = ['4000', '4001', '4002'].map((id, at) => ({ id, styleId: '1', pricingId: at === 2 ? null : `${at}` }));
  const rules = perMinute.map((perMinuteCents, at) => [
    `${at}`,
    [
      { planId: '571', name: 'a', isDefault: true, isBasic: true, unlockCents: 50, perMinuteCents },
      // What no screen of the page shows doesn't count.
      { planId: '572', name: pod, isDefault: false, isBasic: true, unlockCents: perMinuteCents, perMinuteCents: 1 },
    ],
  ]);
  const quote: Partial<Quote> = { queryTime: `moment of ${pod}`, scooters, prices: Object.fromEntries(rules) };
  return { pod, quote: quote as Quote, calls };
}

test('pods that agree show one price, of the scooter that is wanted', () => {
  const held = call('QUOTELOCK.ACQUIRE', '{"outcome":"Held"}');
  const created = call('QUOTELOCK.ACQUIRE', '{"outcome":"Created"}');
  const replies = [reply('a', [10, 20], held), reply('b', [10, 20], held), reply('c', [10, 20], created)];
  const { scooter, scooters, differing, answers, pair } = judge(replies, '4001');
  assert.deepEqual([scooter, scooters, differing], ['4001', 2, 0]);
  assert.deepEqual(
    answers.map(({ pod, queryTime, rule }) => [pod, queryTime, rule?.perMinuteCents]),
    ['a', 'b', 'c'].map((pod) => [pod, `moment of ${pod}`, 20]),
  );
  assert.ok(pair.includes(2), 'one of those that are shown created the lock');
  assert.deepEqual(answers[2]?.calls, [created]);
  assert.equal(judge(replies).scooter, '4000');
});

test('of pods that differ, two are shown that both set the lock, and a scooter in which these two differ', () => {
  const [set, get] = [call('SET'), call('GET')];
  const replies = [reply('a', [11, 20], get), reply('b', [10, 20], get, set), reply('c', [10, 21], get, set)];
  const { scooter, differing, pair } = judge(replies, '4000');
  assert.deepEqual([scooter, differing, pair], ['4001', 2, [1, 2]]);
  const others = [reply('a', [11, 20], get), reply('b', [10, 20], get, set), reply('c', [10, 20], get, set)];
  assert.deepEqual(judge(others).pair, [0, 1], 'else two that differ');
});
