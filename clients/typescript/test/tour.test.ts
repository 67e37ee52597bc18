// The README's programs are those that stand beside this, and print what the README says.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

import { plainRedis, url } from './harness.js';

const redis = plainRedis();
const root = join(__dirname, '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** The fenced blocks that follow a mark, `<!-- mark -->`. */
function block(mark: string): string {
  const found = read('README.md')
    .split(`<!-- ${mark} -->\n`)[1]
    ?.match(/^```\w*\n(.*?)```/s)?.[1];
  assert.ok(found !== undefined, `README.md has no block after ${mark}`);
  return found;
}

for (const program of ['tour', 'screens']) {
  it(`shows the program ${program} as it is, and what it prints`, async () => {
    assert.equal(block(`test/${program}.ts`), read(`test/${program}.ts`));
    const left = await redis.keys('hermes:prices:*:3,7*');
    await redis.del(
      ...['42', '43', '45'].map((user) => `hermes:LockedQuoteInfo:${user}`),
      'hermes:pricingReleaseToggle',
      ...left,
    );
    const env = { ...process.env, REDIS_URL: url };
    const printed = execFileSync(process.execPath, [join(root, `dist/test/${program}.js`)], { env, encoding: 'utf8' });
    assert.equal(block(`printed by ${program}`), printed);
  });
}

it('names the versions of the drivers that the tests run on', () => {
  const tested = /The tests run on (.*?)\.\s/s.exec(read('README.md'))?.[1];
  const { devDependencies } = JSON.parse(read('package.json'));
  for (const driver of ['ioredis', 'ioredis-6', 'iovalkey', 'redis', 'redis-6', '@valkey/valkey-glide']) {
    const version = devDependencies[driver].replace(/.*@/, '');
    assert.ok(tested?.includes(version), `${driver} ${version}`);
  }
});
