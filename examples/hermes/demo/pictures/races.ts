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
 * Races until two pods that differ have set two moments. Each time what is shown must be what the pods said, and what they said of
 * the lock what the server saw. With quotelock no two pods may differ.
 */
export async function checkRaces(page: Page, redis: Redis): Promise<void> {
  const seen: Seen[] = [];
  const monitor = await redis.monitor();
  monitor.on('monitor', (time: string, args: string[], _source: string, db: string) => {
    const [name = '', ...rest] = args;
    seen.push({ at: Number(time) * 1000, db, name: name.toUpperCase(), args: rest });
  });
  const raced: Promise<Raced>[] = [];
  const listen = (response: HTTPResponse) => {
    if (!response.url().includes('/race?')) return;
    const user = response.request().headers()['x-user-id'] ?? '';
    const answer = response.json().then((race: Race) => ({ user, race }));
    answer.catch(() => undefined); // awaited below, unless another check has failed
    raced.push(answer);
  };
  page.on('response', listen);
  try {
    for (let races = 1; ; races += 1) {
      await start(page, 'race');
      const all = await Promise.all(raced.splice(0));
      for (const { race } of all) assert.equal(race.sides.quotelock.differing, 0, `with quotelock: ${JSON.stringify(race)}`);
      const { user, race } = all.at(-1) as Raced;
      assert.ok(race.sides.today.differing > 0, 'it stopped before two pods differed');
      for (const mode of ['today', 'quotelock'] as const) {
        await checkShown(page, mode, race.sides[mode]);
        checkSeen(
          race.sides[mode].answers,
          seen.filter(({ db, args }) => db === DATABASE[mode] && args[0]?.endsWith(`:${user}`)),
        );
      }
      const pair = pairOf(race.sides.today);
      const isTold = pair[0]?.queryTime !== pair[1]?.queryTime && pair.every(({ calls }) => calls.some(isSet));
      if (isTold) return;
      assert.ok(races < RACES, `in none of ${RACES} races two pods set two moments`);
    }
  } finally {
    page.off('response', listen);
    monitor.disconnect();
  }
}

function isSet({ name }: TracedCall): boolean {
  return name === 'SET';
}

function pairOf({ answers, pair }: Side): Answer[] {
  return pair.map((at) => answers[at] as Answer);
}

/** The timeline has all that each of the two pods said, in this order, at these times; and the prices are these. */
async function checkShown(page: Page, mode: Mode, side: Side): Promise<void> {
  const boxes = await page.$$eval(`#race .${mode} .timeline li`, (rows) =>
    rows.map((row) => ({
      at: Number(row.querySelector('.at')?.textContent?.replace(',', '')),
      pod: row.querySelector('.pod')?.textContent?.trim(),
      lines: row.querySelector('.box')?.getAttribute('title')?.split('\n') ?? [],
    })),
  );
  for (const { pod, calls } of pairOf(side)) {
    const own = boxes.filter((box) => box.pod === pod);
    assert.deepEqual(
      own.flatMap(({ lines }) => lines),
      calls.map(({ name, args, reply }) => `${name} ${args}${reply && ` → ${reply}`}`),
    );
    let next = 0;
    for (const { at, lines } of own) {
      const ms = (calls[next]?.at ?? 0) - side.began;
      assert.ok(Math.abs(at - ms) < 1, `${lines[0]} at ${at} ms, not ${ms}`);
      next += lines.length;
    }
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
