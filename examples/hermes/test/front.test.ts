import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import { Timing } from 'quotelock';

import { jsonServer } from '../api/server.js';
import { frontOf } from '../demo/front.js';
import type { Pod } from '../launch/pods.js';
import { startRedis } from '../launch/redis.js';
import { Stage } from '../launch/stage.js';
import { connect } from '../store/connect.js';
import { type Faults, NO_FAULTS } from '../upstream/faults.js';

const timing = new Timing({ ttlMs: 60_000, bufferMs: 10_000, lagMs: 300, alignMs: 1000 });
const facts = { priceChangesPerSecond: 12, maxCommitMs: 200, lagMs: 300 };
const slow = { ...NO_FAULTS, delayMs: 400 };
const stage = new Stage();

/** A pod in this process, which answers what it was asked. */
class FakePod {
  readonly options: { name: string };
  server: FastifyInstance | undefined;
  port: number | undefined;

  constructor(name: string) {
    this.options = { name };
  }

  async start(): Promise<void> {
    this.server = jsonServer(this.options.name);
    this.server.get('/stats', async () => ({
      today: { screens: 1, upstreamCalls: 2, redisBytes: 300 },
      quotelock: { screens: 3, upstreamCalls: 1, redisBytes: 50 },
    }));
    this.server.get('/scooters/:id', async ({ headers, url }) => ({
      url,
      user: headers['x-user-id'],
      mode: headers['x-mode'],
    }));
    this.server.get('/scooters', async ({ headers, url }, reply) => {
      reply.header('x-trace', JSON.stringify([{ name: 'GET', url, mode: headers['x-mode'], user: headers['x-user-id'] }]));
      return { queryTime: this.options.name, scooters: [{ id: '4000', pricingId: null }], prices: {} };
    });
    this.server.post('/rents', async ({ body }, reply) => reply.code(201).send(body));
    this.server.get('/broken', async () => {
      broken += 1;
      throw new TypeError('broken');
    });
    await this.server.listen({ host: '127.0.0.1', port: 0 });
    this.port = this.server.addresses()[0]?.port;
  }

  async kill(): Promise<void> {
    this.port = undefined;
    await this.server?.close();
  }
}

const pods = [new FakePod('pod-1'), new FakePod('pod-2')];
const faults: Faults[] = [];
let databases: Record<'quotelock' | 'today', Redis>;
let front: FastifyInstance;
let broken = 0;

before(async () => {
  const { port } = await startRedis(stage, timing);
  databases = { quotelock: connect({ port }), today: connect({ port }, { db: 1 }) };
  for (const pod of pods) await pod.start();
  const upstream = { setFaults: (changed: Faults) => void faults.push(changed) };
  const scene = { upstream, faults: { usual: NO_FAULTS, slow }, databases, facts };
  front = await frontOf({ ...scene, pods: pods as unknown as Pod[] });
});
after(async () => {
  for (const redis of Object.values(databases)) redis.disconnect();
  await Promise.all([front.close(), ...pods.map((pod) => pod.kill())]);
  await stage.stop();
});

async function press(url: string): Promise<number> {
  return (await front.inject({ method: 'POST', url })).statusCode;
}

test('the page and its files are there, and nothing else', async () => {
  const types = { '/': 'text/html', '/main.js': 'text/javascript', '/zh-TW.js': 'text/javascript', '/page.css?1': 'text/css' };
  for (const [url, type] of Object.entries(types)) {
    const { statusCode, headers, body } = await front.inject(url);
    assert.deepEqual([statusCode, headers['content-type']], [200, `${type}; charset=utf-8`], url);
    assert.ok(body.length > 100, url);
  }
  for (const url of ['/page', '/page/main.js', '/main.ts', '/index.html', '/../package.json', '/apis', '/toggle/1', '/race']) {
    const { statusCode, body } = await front.inject(url);
    assert.deepEqual([statusCode, body], [404, '{"error":"there is nothing here"}'], url);
  }
});

test('what is asked goes to a random pod, and its answer comes back as it is', async () => {
  const headers = { 'x-user-id': 'ann', 'x-mode': 'today' };
  const seen = new Set<unknown>();
  for (let asked = 0; asked < 50; asked += 1) {
    const answer = await front.inject({ url: '/api/scooters/4001?queryTime=T', headers });
    assert.deepEqual(answer.json(), { url: '/scooters/4001?queryTime=T', user: 'ann', mode: 'today' });
    seen.add(answer.headers['x-pod']);
  }
  assert.deepEqual([...seen].sort(), ['pod-1', 'pod-2']);

  for (const type of [undefined, 'text/plain;charset=UTF-8', 'application/json']) {
    const payload = '{"vehicleId":"4001"}';
    const asked = { ...headers, ...(type ? { 'content-type': type } : {}) };
    const answer = await front.inject({ method: 'POST', url: '/api/rents', headers: asked, payload });
    assert.deepEqual([answer.statusCode, answer.body], [201, payload], type);
  }
  assert.equal((await front.inject({ method: 'POST', url: '/api/rents', payload: 'x' })).json().error, 'the body is not JSON');
});

test('a pod that fails is asked once', async () => {
  const answer = await front.inject('/api/broken');
  assert.deepEqual([answer.statusCode, answer.body], [503, '{"error":"that went wrong, ask again"}']);
  assert.equal(broken, 1);
});

test('a race asks all pods for one map, on both sides, and says what is left of the lock', async () => {
  const lock = { roleIds: ['3'], queryTime: '2026-01-01T00:00:00.000Z' };
  await databases.today.set('hermes:LockedQuoteInfo:ann', JSON.stringify(lock));
  const headers = { 'x-user-id': 'ann', 'x-role-ids': '3' };
  const { sides } = (await front.inject({ method: 'POST', url: '/race?area=3', headers })).json();
  for (const mode of ['today', 'quotelock']) {
    const { answers, lock: left } = sides[mode];
    assert.deepEqual(
      answers.map(({ pod, queryTime, calls }: { pod: string; queryTime: string; calls: object[] }) => [pod, queryTime, calls]),
      ['pod-1', 'pod-2'].map((pod) => [pod, pod, [{ name: 'GET', url: '/scooters?area=3', mode, user: 'ann' }]]),
    );
    assert.equal(left, mode === 'today' ? lock.queryTime : null);
  }
});

test('the page is told the toggle, and sets it for both sides', async () => {
  for (const mode of ['3', '1']) {
    assert.equal(await press(`/toggle/${mode}`), 200);
    assert.equal((await front.inject('/watch')).json().toggle, mode);
    for (const redis of Object.values(databases)) assert.equal(await redis.get('hermes:pricingReleaseToggle'), mode);
  }
  assert.equal(await press('/toggle/5'), 404);
});

test('the page is told how upstream is, and slows it down', async () => {
  const { pace, slowMs, ...told } = (await front.inject('/watch')).json();
  assert.deepEqual([pace, slowMs], ['usual', 400]);
  for (const [name, value] of Object.entries(facts)) assert.equal(told[name], value, name);
  assert.equal(await press('/upstream/slow'), 200);
  assert.equal((await front.inject('/watch')).json().pace, 'slow');
  assert.equal(await press('/upstream/usual'), 200);
  assert.equal(await press('/upstream/broken'), 404);
  assert.deepEqual(faults, [slow, NO_FAULTS]);
});

test('what a pod counted before it was killed stays in the sums', async () => {
  const watched = async () => (await front.inject('/watch')).json();
  const sums = (pods: number) => ({
    today: { screens: pods, upstreamCalls: 2 * pods, redisBytes: 300 * pods },
    quotelock: { screens: 3 * pods, upstreamCalls: pods, redisBytes: 50 * pods },
  });
  assert.deepEqual((await watched()).totals, sums(2));
  assert.equal(await press('/pods/pod-2/kill'), 200);
  assert.deepEqual((await watched()).pods, [
    { name: 'pod-1', isUp: true },
    { name: 'pod-2', isUp: false },
  ]);
  assert.deepEqual((await watched()).totals, sums(2));
  assert.equal((await front.inject({ method: 'POST', url: '/race?area=3', headers: {} })).statusCode, 502, 'one pod is no race');
  for (let time = 0; time < 2; time += 1) assert.equal(await press('/pods/pod-2/start'), 200, 'once, however often');
  assert.ok((await watched()).pods[1].isUp);
  assert.deepEqual((await watched()).totals, sums(3), 'it counts from 0 again');
  for (const url of ['/pods/pod-3/kill', '/pods/pod-1/stop']) assert.equal(await press(url), 404, url);
});

test('where no pod answers, that is said', async () => {
  const ports = pods.map(({ port }) => port);
  for (const pod of pods) pod.port = undefined;
  const none = await front.inject('/api/scooters/4001');
  assert.deepEqual([none.statusCode, none.body], [502, '{"error":"no pod is up"}']);
  for (const pod of pods) pod.port = 1;
  const gone = await front.inject('/api/scooters/4001');
  assert.equal(gone.statusCode, 502);
  assert.ok(gone.json().error);
  assert.equal((await front.inject({ method: 'POST', url: '/race?area=3' })).json().error, 'it takes two pods that answer');
  for (const [at, pod] of pods.entries()) pod.port = ports[at];
});
