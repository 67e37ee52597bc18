import assert from 'node:assert/strict';

import type { Redis } from 'ioredis';
import type { HTTPResponse, Page } from 'puppeteer-core';

import type { Mode } from '../../api/pod.js';
import type { TracedCall } from '../../api/trace.js';
import type { Answer, Race, Side } from '../race.js';
import { start, texts } from './visit.js';

/** A command as the server itself says that it came. */
interface Seen {
  at: number;
  db: string;
  name: string;
  args: string[];
}

interface Raced {
  user: string;
  race: Race;
}

const RACES = 30;
const DATABASE: Record<Mode, string> = { quotelock: '0', today: '1' };
/** A pod reads the clock a little before a command is on its way, or after its reply has come. */
const CLOCK_MS = 5;
const LOCKING = ['GET', 'SET', 'QUOTELOCK.ACQUIRE'];

/**
 * Races until two pods that differ have both set the lock. Each time what is shown must be what the pods said, and what they said of
 * the lock what the server saw. With quotelock no two pods may differ.
 */
export async function checkRaces(page: Page, redis: Redis): Promise<void> {
  const seen: Seen[] = [];
  const monitor = await redis.monitor();
  monitor.on('monitor', (time: string, args: string[], _source: string, db: string) => {
    const [name = '', ...rest] = args;
    seen.push({ at: Number(time) * 1000, db, name: name.toUpperCase(), args: rest });
  });
  let raced: Raced | undefined;
  const listen = async (response: HTTPResponse) => {
    if (!response.url().includes('/race?')) return;
    raced = { user: response.request().headers()['x-user-id'] ?? '', race: (await response.json()) as Race };
    assert.equal(raced.race.sides.quotelock.differing, 0, `with quotelock two pods differ: ${JSON.stringify(raced)}`);
  };
  page.on('response', listen);
  try {
    for (let races = 1; ; races += 1) {
      await start(page, 'race');
      assert.ok(raced, 'no race was run');
      const { user, race } = raced;
      assert.ok(race.sides.today.differing > 0, 'it stopped before two pods differed');
      for (const mode of ['today', 'quotelock'] as const) {
        await checkShown(page, mode, race.sides[mode]);
        checkSeen(
          race.sides[mode].answers,
          seen.filter(({ db, args }) => db === DATABASE[mode] && args[0]?.endsWith(`:${user}`)),
        );
      }
      if (pairOf(race.sides.today).every(({ calls }) => calls.some(({ name }) => name === 'SET'))) return;
      assert.ok(races < RACES, `in none of ${RACES} races both pods that differed set the lock`);
    }
  } finally {
    page.off('response', listen);
    monitor.disconnect();
  }
}

function pairOf({ answers, pair }: Side): Answer[] {
  return pair.map((at) => answers[at] as Answer);
}

/** The timeline has all that the two pods said, in this order, at these times; and the prices are these. */
async function checkShown(page: Page, mode: Mode, side: Side): Promise<void> {
  const pods = pairOf(side);
  const expected = pods.flatMap(({ pod, calls }) => calls.map((call) => ({ pod, ...call }))).sort((a, b) => a.at - b.at);
  const shown = await page.$$eval(`#race .${mode} .timeline li`, (rows) =>
    rows.map((row) => ({
      at: row.querySelector('.at')?.textContent ?? '',
      pod: row.querySelector('.pod')?.textContent?.trim(),
      says: row.querySelector('.box')?.getAttribute('title') ?? '',
    })),
  );
  assert.equal(shown.length, expected.length, mode);
  for (const [at, { pod, name, at: sent, args }] of expected.entries()) {
    const row = shown[at];
    assert.equal(row?.pod, pod);
    assert.ok(Math.abs(Number(row?.at.replace(',', '')) - (sent - side.began)) < 1, `${name} at ${row?.at} ms`);
    assert.ok(row?.says.startsWith(`${name} ${args}`), row?.says);
  }
  const prices = new Set(await texts(page, `#race .${mode} .price b`));
  assert.equal(prices.size, side.differing > 0 ? 2 : 1, `${mode}: ${[...prices]}`);
}

/** The server saw the same commands on the user's lock, each while a pod says that it was under way. */
function checkSeen(answers: Answer[], seen: Seen[]): void {
  const said = answers.flatMap(({ calls }) => calls).filter(({ name }) => LOCKING.includes(name));
  const isSaid = ({ name, args, at, ms }: TracedCall, it: Seen) =>
    it.name === name &&
    it.at >= at - CLOCK_MS &&
    it.at <= at + ms + CLOCK_MS &&
    args.startsWith(JSON.stringify(it.args).slice(0, 200));
  for (const call of said)
    assert.ok(
      seen.some((it) => isSaid(call, it)),
      `the server never saw ${JSON.stringify(call)}`,
    );
  for (const name of ['SET', 'QUOTELOCK.ACQUIRE']) {
    const count = (of: { name: string }[]) => of.filter((it) => it.name === name).length;
    assert.equal(count(seen), count(said), `${name}s that the server saw, and that pods told of`);
  }
}
