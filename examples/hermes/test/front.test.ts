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

const timing = new Timing({ ttlMs: 60_000, bufferMs: 10_000, lagMs: 300, alignMs: 1000 });
const stage = new Stage();
const servers: FastifyInstance[] = [];
const pods: { options: { name: string }; port: number | undefined }[] = [];
let redis: Redis;
let front: FastifyInstance;
let broken = 0;

before(async () => {
  redis = connect({ port: (await startRedis(stage, timing)).port });
  for (const name of ['pod-1', 'pod-2']) {
    const server = jsonServer(name);
    server.get('/stats', async () => ({
      today: { screens: 1, upstreamCalls: 2, savedBytes: 0 },
      quotelock: { screens: 3, upstreamCalls: 1, savedBytes: 5000 },
    }));
    server.get('/scooters/:id', async ({ headers, url }) => ({ url, user: headers['x-user-id'], mode: headers['x-mode'] }));
    server.post('/rents', async ({ body }, reply) => reply.code(201).send(body));
    server.get('/broken', async () => {
      broken += 1;
      throw new TypeError('broken');
    });
    await server.listen({ host: '127.0.0.1', port: 0 });
    servers.push(server);
    pods.push({ options: { name }, port: server.addresses()[0]?.port });
  }
  front = frontOf(pods as unknown as Pod[], redis, timing);
});
after(async () => {
  redis.disconnect();
  await Promise.all([front, ...servers].map((server) => server.close()));
  await stage.stop();
});

test('the page and its files are there, and nothing else', async () => {
  const types = { '/': 'text/html', '/page.js': 'text/javascript', '/page.css?1': 'text/css' };
  for (const [url, type] of Object.entries(types)) {
    const { statusCode, headers, body } = await front.inject(url);
    assert.deepEqual([statusCode, headers['content-type']], [200, `${type}; charset=utf-8`], url);
    assert.ok(body.length > 100, url);
  }
  for (const url of ['/page', '/page/page.js', '/../package.json', '/apis', '/toggle/1']) {
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

test('a race asks all pods', async () => {
  const race = await front.inject({ url: '/race?vehicle=4001', headers: { 'x-user-id': 'ann' } });
  const body = { url: '/scooters/4001', user: 'ann', mode: '' };
  assert.deepEqual(
    race.json(),
    ['pod-1', 'pod-2'].map((pod) => ({ pod, status: 200, body })),
  );
});

test('the page is told the lock, the toggle and the sums of all pods', async () => {
  await redis.call('QUOTELOCK.ACQUIRE', 'hermes:LockedQuoteInfo:ann', '["3"]', '*');
  for (const mode of ['3', '1']) {
    assert.equal((await front.inject({ method: 'POST', url: `/toggle/${mode}` })).statusCode, 200);
    const told = (await front.inject('/watch?user=ann')).json();
    assert.deepEqual([told.lock.roleIds, told.lock.state, told.toggle], [['3'], 'Effective', mode]);
    assert.deepEqual(told.totals, {
      today: { screens: 2, upstreamCalls: 4, savedBytes: 0 },
      quotelock: { screens: 6, upstreamCalls: 2, savedBytes: 10_000 },
    });
  }
  assert.equal((await front.inject({ method: 'POST', url: '/toggle/5' })).statusCode, 404);
  assert.equal((await front.inject('/watch?user=bob')).json().lock, null);
});

test('where no pod answers, that is said', async () => {
  const ports = pods.map(({ port }) => port);
  for (const pod of pods) pod.port = undefined;
  const none = await front.inject('/api/scooters/4001');
  assert.deepEqual([none.statusCode, none.body], [502, '{"error":"no pod is up"}']);
  for (const pod of pods) pod.port = 1;
  for (const url of ['/api/scooters/4001', '/race?vehicle=4001']) {
    const gone = await front.inject(url);
    assert.equal(gone.statusCode, 502, url);
    assert.ok(gone.json().error, url);
  }
  for (const [at, pod] of pods.entries()) pod.port = ports[at];
});
