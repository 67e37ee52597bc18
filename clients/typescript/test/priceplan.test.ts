import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PricePlan } from 'quotelock';

import { key, plainRedis, throughEachDriver } from './harness.js';

const redis = plainRedis();

describe('PricePlan', () => {
  throughEachDriver((driver) => {
    it('tags and routes as the toggle says', async () => {
      const toggle = key('toggle');
      const plans = new PricePlan(driver(), toggle);
      const cases = [
        [null, '571_old', 'Legacy', 'Legacy'],
        ['2', '571', 'Core', 'Retired'],
        ['both', '571', 'Core', 'Legacy'],
        ['4', '571_old', 'Retired', 'Legacy'],
      ] as const;
      for (const [value, tagged, bare, old] of cases) {
        if (value !== null) await redis.set(toggle, value);
        assert.deepEqual(await plans.tag([571, '571_old']), [tagged, '571_old']);
        assert.deepEqual(await plans.route(['571', '571_old']), [
          { route: bare, id: '571' },
          { route: old, id: '571' },
        ]);
      }
      assert.deepEqual(await plans.tag([]), []);
      assert.deepEqual(await plans.route([]), []);
    });
  });

  it('tells an id that old pricing issued by itself, as the server does', async () => {
    const cases: [string | number, string, boolean][] = [
      ['571_old', '571', true],
      ['571', '571', false],
      [571, '571', false],
      ['571_old_old', '571_old', true],
      ['571_OLD', '571_OLD', false],
      ['_old571', '_old571', false],
    ];
    const routed = await new PricePlan(redis, key('toggle')).route(cases.map(([id]) => id));
    for (const [at, [id, bare, isOld]] of cases.entries()) {
      assert.deepEqual([PricePlan.bare(id), PricePlan.isOld(id)], [bare, isOld], String(id));
      assert.equal(routed[at]?.id, bare, String(id));
    }
  });
});
