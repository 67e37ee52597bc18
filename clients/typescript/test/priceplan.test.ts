import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PricePlan } from 'quotelock';

import { key, plainRedis, throughEachDriver } from './harness.js';

const redis = plainRedis();

describe('PricePlan', () => {
  throughEachDriver((driver) => {
    it('tags and routes as the toggle says', async () => {
      const plans = new PricePlan(driver());
      const toggle = key('toggle');
      const cases = [
        [null, '571_old', 'Legacy', 'Legacy'],
        ['2', '571', 'Core', 'Retired'],
        ['both', '571', 'Core', 'Legacy'],
        ['4', '571_old', 'Retired', 'Legacy'],
      ] as const;
      for (const [value, tagged, bare, old] of cases) {
        if (value !== null) await redis.set(toggle, value);
        assert.deepEqual(await plans.tag(toggle, [571, '571_old']), [tagged, '571_old']);
        assert.deepEqual(await plans.route(toggle, ['571', '571_old']), [
          { route: bare, id: '571' },
          { route: old, id: '571' },
        ]);
      }
      assert.deepEqual(await plans.tag(toggle, []), []);
      assert.deepEqual(await plans.route(toggle, []), []);
    });
  });
});
