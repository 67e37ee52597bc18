import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, type IncomingMessage, type Server, type ServerResponse, createServer, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

import type { Redis } from 'ioredis';
import { LockedQuoteInfo } from 'quotelock';

import type { Mode, PodStats } from '../api/pod.js';
import type { Pod } from '../launch/pods.js';
import type { Timing } from '../store/timing.js';

const TOGGLE = 'hermes:pricingReleaseToggle';
// From dist/demo/ as it is run.
const PAGE = new URL('../../demo/page/', import.meta.url);
const FILES: Record<string, [file: string, type: string]> = {
  '/': ['index.html', 'text/html'],
  '/page.js': ['page.js', 'text/javascript'],
  '/page.css': ['page.css', 'text/css'],
};

/** One port for all pods, with the page: it passes `/api/…` on to a random pod. */
export class Front {
  readonly #agent = new Agent({ keepAlive: true });

  constructor(
    readonly pods: readonly Pod[],
    readonly redis: Redis,
    readonly timing: Timing,
  ) {}

  listen(port: number, host: string): Promise<Server> {
    const server = createServer((incoming, response) => {
      this.#answer(incoming, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else send(response, 502, { error: String(error) });
      });
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => resolve(server));
    });
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://front');
    const file = FILES[pathname];
    if (file) {
      const text = await readFile(new URL(file[0], PAGE));
      response.writeHead(200, { 'content-type': `${file[1]}; charset=utf-8`, 'cache-control': 'no-cache' });
      response.end(text);
    } else if (pathname === '/watch') {
      send(response, 200, await this.#watch(searchParams.get('user') ?? ''));
    } else if (/^\/toggle\/[1-4]$/.test(pathname) && incoming.method === 'POST') {
      await this.redis.set(TOGGLE, pathname.slice(-1));
      send(response, 200, {});
    } else if (pathname === '/race') {
      send(response, 200, await this.#race(`/scooters/${searchParams.get('vehicle')}`, incoming.headers));
    } else if (pathname.startsWith('/api/')) {
      await this.#pass(incoming, response);
    } else {
      send(response, 404, { error: 'there is nothing here' });
    }
  }

  /** What the page shows beside the answers: the user's lock, the toggle, and the sums over all pods. */
  async #watch(user: string): Promise<object> {
    const quotes = new LockedQuoteInfo(this.redis);
    const [lock, toggle, time, ...stats] = await Promise.all([
      quotes.getById(user),
      this.redis.get(TOGGLE),
      this.redis.time(),
      ...this.pods.map((pod) => this.#stats(pod)),
    ]);
    const sums = (mode: Mode) => ({
      screens: stats.reduce((sum, of) => sum + (of?.[mode].screens ?? 0), 0),
      upstreamCalls: stats.reduce((sum, of) => sum + (of?.[mode].upstreamCalls ?? 0), 0),
    });
    const now = Number(time[0]) * 1000 + Math.trunc(Number(time[1]) / 1000);
    const totals = { today: sums('today'), quotelock: sums('quotelock') };
    return { lock: lock ?? null, now, timing: this.timing, toggle: toggle ?? '1', totals };
  }

  /** Asks every pod at the same moment, which a browser can't: it has six connections to one server. */
  async #race(path: string, headers: IncomingMessage['headers']): Promise<object[]> {
    const ask = async ({ options, port }: Pod): Promise<object> => {
      const passed = request({ host: '127.0.0.1', port, path, headers, agent: this.#agent });
      passed.end();
      const [answer] = (await once(passed, 'response')) as [IncomingMessage];
      return { pod: options.name, status: answer.statusCode, body: await json(answer) };
    };
    return Promise.all(this.#up().map(ask));
  }

  async #stats({ port }: Pod): Promise<Record<Mode, PodStats> | undefined> {
    if (port === undefined) return undefined;
    const response = await fetch(`http://127.0.0.1:${port}/stats`);
    return (await response.json()) as Record<Mode, PodStats>;
  }

  async #pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const up = this.#up();
    const port = up[Math.floor(Math.random() * up.length)]?.port;
    if (port === undefined) return send(response, 502, { error: 'no pod is up' });
    const path = (incoming.url ?? '').slice('/api'.length);
    const { method, headers } = incoming;
    const passed = request({ host: '127.0.0.1', port, method, path, headers, agent: this.#agent });
    const [[answer]] = (await Promise.all([once(passed, 'response'), pipeline(incoming, passed)])) as [[IncomingMessage], void];
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    await pipeline(answer, response);
  }

  #up(): Pod[] {
    return this.pods.filter(({ port }) => port !== undefined);
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
