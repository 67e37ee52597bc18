import { readFile, readdir } from 'node:fs/promises';
import { extname } from 'node:path';

import httpProxy from '@fastify/http-proxy';
import { type FastifyInstance, fastify } from 'fastify';
import type { Redis } from 'ioredis';

import type { Mode } from '../api/pod.js';
import type { Pod, UpstreamProcess } from '../launch/pods.js';
import { TOGGLE } from '../store/store.js';
import type { Faults } from '../upstream/faults.js';
import { race } from './race.js';
import { type Totals, Traffic } from './traffic.js';

/** What the page shows, and what its buttons change. */
export interface Scene {
  pods: readonly Pod[];
  upstream: Pick<UpstreamProcess, 'setFaults'>;
  /** How upstream behaves, as it does usually and while it is slow. */
  faults: Record<Pace, Faults>;
  databases: Record<Mode, Redis>;
  facts: Facts;
}

/** How the demo was set up. */
export interface Facts {
  priceChangesPerSecond: number;
  /** The longest time after which a change becomes visible. */
  maxCommitMs: number;
  /** How far a new lock's `queryTime` is behind the clock, at least. */
  lagMs: number;
}

export type Pace = 'usual' | 'slow';

/** What the page polls. */
export interface Watched extends Facts {
  pods: { name: string; isUp: boolean }[];
  pace: Pace;
  slowMs: number;
  toggle: string;
  totals: Totals;
}

// Relative to dist/demo/, where this runs: compiled files, and files served as they are.
const PAGE = [new URL('page/', import.meta.url), new URL('../../demo/page/', import.meta.url)];
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

/** One port for all pods, with the page: it passes `/api/…` on to a random pod. */
export async function frontOf(scene: Scene): Promise<FastifyInstance> {
  const server = fastify();
  const up = () => scene.pods.filter(({ port }) => port !== undefined);

  await addPage(server);
  addButtons(server, scene);
  server.post<{ Querystring: { area?: string } }>('/race', ({ query, headers }) => {
    const asker = { userId: String(headers['x-user-id']), roleIds: String(headers['x-role-ids']) };
    return race(up(), `/scooters?area=${query.area}`, asker, scene.databases);
  });
  server.register(httpProxy, {
    prefix: '/api',
    upstream: '',
    retryMethods: [], // the caller must see each 503
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

async function addPage(server: FastifyInstance): Promise<void> {
  for (const directory of PAGE) {
    for (const name of await readdir(directory)) {
      const type = TYPES[extname(name)];
      if (type === undefined) continue;
      server.get(name === 'index.html' ? '/' : `/${name}`, async (_request, reply) => {
        reply.headers({ 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-cache' });
        return readFile(new URL(name, directory));
      });
    }
  }
}

function addButtons(server: FastifyInstance, { pods, upstream, faults, databases, facts }: Scene): void {
  const traffic = new Traffic(pods);
  let pace: Pace = 'usual';

  server.get('/watch', async (): Promise<Watched> => {
    const [totals, toggle] = await Promise.all([traffic.totals(), databases.quotelock.get(TOGGLE)]);
    return {
      ...facts,
      pods: pods.map(({ options, port }) => ({ name: options.name, isUp: port !== undefined })),
      pace,
      slowMs: faults.slow.delayMs,
      toggle: toggle ?? '1',
      totals,
    };
  });
  server.post<{ Params: { mode: string } }>('/toggle/:mode(^[1-4]$)', async ({ params }) => {
    await Promise.all(Object.values(databases).map((redis) => redis.set(TOGGLE, params.mode)));
    return {};
  });
  server.post<{ Params: { pace: Pace } }>('/upstream/:pace(^usual|slow$)', async ({ params }) => {
    pace = params.pace;
    upstream.setFaults(faults[pace]);
    return {};
  });
  server.post<{ Params: { name: string; what: string } }>('/pods/:name/:what(^kill|start$)', async ({ params }, reply) => {
    const pod = pods.find(({ options }) => options.name === params.name);
    if (!pod) return reply.callNotFound();
    await traffic.totals(); // its counts end with it
    if (params.what === 'kill') await pod.kill();
    else if (pod.port === undefined) await pod.start();
    return {};
  });
}
