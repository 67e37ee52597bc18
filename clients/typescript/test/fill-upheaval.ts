// Ten pods open cold screens through getOrFill while pods die, replies are lost, and upstream is slow, down and back. Each row is asked
// for once, unless its pod died meanwhile, and no screen takes longer than documented. QUOTELOCK_FULL=1 has 1,000 screens.
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ScreenOpened, ScreenShown } from './fill-pod.js';
import { type Way, wayTo } from './way.js';

const isFull = process.env['QUOTELOCK_FULL'] !== undefined;
const redisUrl = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';

const PODS = 10;
const SCREENS = isFull ? 1000 : 40;
/** How many screens are open at once. */
const LANES = 8;
const ROWS = 20;

/** More than the defaults, as a machine that tests may have other work. */
const options = { maxMs: 8000, answerMs: 4000, claimMs: 3000 };
/** Above `claimMs`: so claims are renewed. */
const SLOW_MS = 3500;
const DOWN_MS = 800;
/** What a process may take to tell. */
const SLACK_MS = 1000;

/** What happens while a screen is fetched. */
type Fault = 'slow' | 'down' | 'dies' | undefined;
const FAULTS: Readonly<Record<number, Fault>> = { 3: 'slow', 5: 'down', 7: 'dies' };

const run = `${Date.now()}`;
const keyOf = (screen: number) => `fill:{${run}-${screen}}`;
const numberOf = (key: string) => Number(/-(\d+)}/.exec(key)?.[1]);
const faultOf = (key: string) => FAULTS[numberOf(key) % 10];
const priceOf = (key: string, id: string) => `${key}/${id}`;
const ids = Array.from({ length: ROWS }, (_, at) => `${at}`);

/** What upstream was asked for a row, in order. */
interface Asked {
  pod: string;
  key: string;
  isAnswered: boolean;
  /** Until its pod shows the screen: then the row is stored. */
  isOpen: boolean;
  /** Whether its pod died before that. */
  isLost: boolean;
}

const asked = new Map<string, Asked[]>();
const firstAsked = new Map<string, number>();
const pods: Pod[] = [];
const tally = { died: 0, cut: 0, failed: 0, longestMs: 0 };

/** Answers a row's price, if at all. */
const upstream = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const { pod, key, ids } = JSON.parse(body) as ScreenOpened & { pod: string };
  const isFirst = !firstAsked.has(key);
  const since = performance.now() - (firstAsked.get(key) ?? performance.now());
  if (isFirst) firstAsked.set(key, performance.now());
  const fault = faultOf(key);
  const isDown = fault === 'down' && since <= DOWN_MS;
  const isDeadly = fault === 'dies' && isFirst;
  // A pod may have died since it sent this.
  const isLost = pods.every(({ name }) => name !== pod);
  const told = { pod, key, isAnswered: !isDown && !isDeadly, isOpen: true, isLost };
  for (const id of ids) asked.set(priceOf(key, id), [...(asked.get(priceOf(key, id)) ?? []), told]);
  if (isDown) return request.socket.destroy();
  if (isDeadly) return pods.find(({ name }) => name === pod)?.die();
  await sleep(fault === 'slow' ? SLOW_MS : 20 * Math.random());
  response.end(JSON.stringify(ids.map((id) => [id, { price: priceOf(key, id) }])));
});

/** A process, on a way of its own to the server. When it dies, another takes its place. */
class Pod {
  static #count = 0;
  readonly way: Way;
  name = '';
  #process: Promise<ChildProcess> | undefined;
  readonly #open = new Map<string, (shown: ScreenShown | undefined) => void>();

  constructor(way: Way) {
    this.way = way;
  }

  start(): Promise<ChildProcess> {
    this.#process = this.#begin();
    return this.#process;
  }

  /** What the screen shows; nothing if the pod dies. */
  async show(screen: ScreenOpened): Promise<ScreenShown | undefined> {
    const child = await this.#process;
    const shown = new Promise<ScreenShown | undefined>((resolve) => this.#open.set(screen.key, resolve));
    child?.send(screen);
    const what = await shown;
    this.#open.delete(screen.key);
    return what;
  }

  async die(): Promise<void> {
    const child = await this.#process;
    tally.died += 1;
    for (const ask of openAsks(this.name)) ask.isLost = true;
    child?.kill('SIGKILL');
    void this.start();
    for (const resolve of this.#open.values()) resolve(undefined);
  }

  async close(): Promise<void> {
    (await this.#process)?.removeAllListeners('exit').disconnect();
    this.way.close();
  }

  async #begin(): Promise<ChildProcess> {
    const upstreamUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    Pod.#count += 1;
    this.name = `pod ${Pod.#count}`;
    const child = fork(join(__dirname, 'fill-pod.js'), [this.name, this.way.url, upstreamUrl, JSON.stringify(options)]);
    await once(child, 'message');
    const { name } = this;
    child.on('message', (shown: ScreenShown) => {
      if (!shown.error) for (const ask of openAsks(name, shown.key)) ask.isOpen = false;
      this.#open.get(shown.key)?.(shown);
    });
    child.on('exit', (code) => assert.equal(code, null, `${this.name} ended by itself`));
    return child;
  }
}

/** Opens a screen on all pods at once, while replies and connections of some are lost. */
async function open(screen: number): Promise<void> {
  const key = keyOf(screen);
  const shown = pods.map((pod) => pod.show({ key, ids }));
  const { way } = pods[screen % PODS] as Pod;
  if (screen % 2 === 0) way.losesNext = true;
  else if (screen % 5 === 1 && way.cut() > 0) tally.cut += 1;
  for (const one of await Promise.all(shown)) if (one) isRight(one);
}

function isRight({ key, ms, prices, error }: ScreenShown): void {
  tally.longestMs = Math.max(tally.longestMs, ms);
  assert.ok(ms <= options.maxMs + options.answerMs + SLACK_MS, `${key} took ${ms} ms`);
  for (const [id, price] of Object.entries(prices)) assert.equal(price, priceOf(key, id));
  if (!error) {
    assert.equal(Object.keys(prices).length, ROWS, key);
    return;
  }
  tally.failed += 1;
  assert.equal(error.name, 'FillError', `${key}: ${error.message}`);
  const isAskerDead = (asked.get(priceOf(key, ids[0] as string)) ?? []).some(({ isLost }) => isLost);
  assert.ok(faultOf(key) === 'down' || isAskerDead, `${key}: ${error.message}`);
}

/** What a pod has asked for, and may not have stored yet: for all screens, or one. */
function openAsks(name: string, key?: string): Asked[] {
  return [...asked.values()].flat().filter((ask) => ask.isOpen && ask.pod === name && key === (key && ask.key));
}

/** Only who died meanwhile, or was not answered, leaves a row to another. */
function isAskedOnce(): number {
  let count = 0;
  for (const [row, asks] of asked) {
    count += asks.filter(({ isAnswered }) => isAnswered).length;
    const told = asks.map(
      ({ pod, isAnswered, isLost }) => `${pod}${isLost ? ', died' : ''}${isAnswered ? '' : ', not answered'}`,
    );
    for (const { isAnswered, isLost } of asks.slice(0, -1)) assert.ok(!isAnswered || isLost, `${row}: ${told.join('; ')}`);
  }
  return count;
}

async function main(): Promise<void> {
  await once(upstream.listen(0, '127.0.0.1'), 'listening');
  for (let pod = 0; pod < PODS; pod += 1) pods.push(new Pod(await wayTo(redisUrl)));
  await Promise.all(pods.map((pod) => pod.start()));

  let next = 0;
  const lane = async () => {
    for (let screen = next++; screen < SCREENS; screen = next++) await open(screen);
  };
  await Promise.all(Array.from({ length: LANES }, lane));

  // In the end every row is there, or had at once.
  for (let screen = 0; screen < SCREENS; screen += 1) {
    const shown = await pods[screen % PODS]?.show({ key: keyOf(screen), ids });
    assert.equal(Object.keys(shown?.prices ?? {}).length, ROWS, `${keyOf(screen)}: ${shown?.error?.message}`);
  }
  assert.equal(asked.size, SCREENS * ROWS);
  const answers = isAskedOnce();
  const repliesLost = pods.reduce((sum, { way }) => sum + way.lost, 0);
  const { died, cut, failed, longestMs } = tally;
  assert.ok(died >= SCREENS / 10 && repliesLost >= SCREENS / 3 && cut >= SCREENS / 20, `${died}, ${repliesLost}, ${cut}`);

  const longest = (longestMs / 1000).toFixed(1);
  console.log(
    `${PODS} pods × ${SCREENS} cold screens of ${ROWS} rows: ${asked.size} rows, ${answers} answered by upstream; ${died} pods died, ` +
      `${repliesLost} replies and ${cut} pods' connections were lost; ${failed} screens told a FillError, the longest took ${longest} s`,
  );
  await Promise.all(pods.map((pod) => pod.close()));
  upstream.closeAllConnections();
  upstream.close();
}

void main().catch((error) => {
  console.error(error);
  process.exit(1);
});
