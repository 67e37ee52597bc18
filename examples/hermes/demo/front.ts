import { readFile } from 'node:fs/promises';

import httpProxy from '@fastify/http-proxy';
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify';
import type { Redis } from 'ioredis';
import { LockedQuoteInfo, QuoteLock, type TimingOptions } from 'quotelock';

import type { Mode, PodStats } from '../api/pod.js';
import type { Pod } from '../launch/pods.js';
import { TOGGLE } from '../store/store.js';

// From dist/demo/ as it is run.
const PAGE = new URL('../../demo/page/', import.meta.url);
const FILES: [path: string, file: string, type: string][] = [
  ['/', 'index.html', 'text/html'],
  ['/page.js', 'page.js', 'text/javascript'],
  ['/page.css', 'page.css', 'text/css'],
];

/** One port for all pods, with the page: it passes `/api/…` on to a random pod. */
export function frontOf(pods: readonly Pod[], redis: Redis, timing: Required<TimingOptions>): FastifyInstance {
  const server = fastify();
  const up = () => pods.filter(({ port }) => port !== undefined);

  for (const [path, file, type] of FILES) {
    server.get(path, async (_request, reply) => {
      reply.headers({ 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-cache' });
      return readFile(new URL(file, PAGE));
    });
  }
  server.get<{ Querystring: { user?: string } }>('/watch', async ({ query }) => watch(pods, redis, timing, query.user ?? ''));
  server.post<{ Params: { mode: string } }>('/toggle/:mode(^[1-4]$)', async ({ params }) => {
    await redis.set(TOGGLE, params.mode);
    return {};
  });
  server.get<{ Querystring: { vehicle?: string } }>('/race', async ({ query, headers }) =>
    race(up(), `/scooters/${query.vehicle}`, headers),
  );
  server.register(httpProxy, {
    prefix: '/api',
    upstream: '',
    retryMethods: [], // whoever asks is to see each 503
    replyOptions: {
      getUpstream: () => {
        const ports = up().map(({ port }) => port);
        if (ports.length === 0) throw new Error('no pod is up');
        return `http://127.0.0.1:${ports[Math.floor(Math.random() * ports.length)]}`;
      },
      onError: (reply, { error }) => void reply.code(502).send({ error: error.message }),
    },
  });
  server.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'there is nothing here' }));
  server.setErrorHandler((error, _request, reply) => reply.code(error.statusCode ?? 502).send({ error: error.message }));
  return server;
}

/** What the page shows beside the answers: the user's lock, the toggle, and the sums over all pods. */
async function watch(pods: readonly Pod[], redis: Redis, timing: Required<TimingOptions>, user: string): Promise<object> {
  const quotes = new QuoteLock(redis);
  const [lock, toggle, time, ...stats] = await Promise.all([
    quotes.get(LockedQuoteInfo.key(user)),
    redis.get(TOGGLE),
    redis.time(),
    ...pods.map(statsOf),
  ]);
  const sums = (mode: Mode) => ({
    screens: stats.reduce((sum, of) => sum + (of?.[mode].screens ?? 0), 0),
    upstreamCalls: stats.reduce((sum, of) => sum + (of?.[mode].upstreamCalls ?? 0), 0),
    savedBytes: stats.reduce((sum, of) => sum + (of?.[mode].savedBytes ?? 0), 0),
  });
  const now = Number(time[0]) * 1000 + Math.trunc(Number(time[1]) / 1000);
  const totals = { today: sums('today'), quotelock: sums('quotelock') };
  return { lock, now, timing, toggle: toggle ?? '1', totals };
}

async function statsOf({ port }: Pod): Promise<Record<Mode, PodStats> | undefined> {
  if (port === undefined) return undefined;
  const response = await fetch(`http://127.0.0.1:${port}/stats`);
  return (await response.json()) as Record<Mode, PodStats>;
}

/** Asks every pod at the same moment, which a browser can't: it has six connections to one server. */
function race(pods: readonly Pod[], path: string, headers: FastifyRequest['headers']): Promise<object[]> {
  const names = ['x-user-id', 'x-role-ids', 'x-mode'];
  const passed = names.map((name) => [name, String(headers[name] ?? '')] as [string, string]);
  const ask = async ({ options, port }: Pod): Promise<object> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: passed });
    return { pod: options.name, status: answer.status, body: await answer.json() };
  };
  return Promise.all(pods.map(ask));
}
