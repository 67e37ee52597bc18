// A server of a test's own, of the kind of the one at REDIS_URL, for what would disturb the other tests.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Redis } from 'ioredis';

export interface OwnServer {
  url: string;
  redis: Redis;
  /** The process, which `kill` ends and `start` begins anew. */
  process: ChildProcess;
  kill(): Promise<void>;
  /** On the same port and in the same folder. It answers once it is up and has loaded, which this does not wait for. */
  start(options?: Options): void;
  close(): Promise<void>;
}

type Options = Readonly<Record<string, string | number>>;

/** `like` is a client of the server that it is to be like. It has to run on this machine. */
export async function ownServer(like: Redis, options: Options = {}): Promise<OwnServer> {
  const executable = /^executable:(.*)$/m.exec(await like.info('server'))?.[1]?.trim() ?? '';
  const modules = (await like.call('MODULE', ['LIST'])) as unknown[][];
  const library = modules.map((module) => new Map(pairs(module))).find((module) => module.get('name') === 'quotelock');
  const port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), 'quotelock-'));
  const all = {
    port,
    dir,
    save: '',
    'repl-diskless-sync-delay': 0,
    loadmodule: String(library?.get('path')),
    'enable-debug-command': 'yes',
  };
  const spawned = (more: Options) => {
    const words = Object.entries({ ...all, ...options, ...more }).flatMap(([name, value]) => [`--${name}`, `${value}`]);
    const child = spawn(executable, words, { stdio: ['ignore', 'pipe', 'ignore'] });
    // Another process may have the port for a while.
    let isTaken = false;
    child.stdout.on('data', (said) => {
      isTaken ||= String(said).includes('Address already in use');
    });
    child.once('close', () => isTaken && child === server.process && setTimeout(() => server.start(more), 50));
    return child;
  };
  const redis = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null, retryStrategy: () => 20 });
  redis.on('error', () => undefined);
  const server: OwnServer = {
    url: `redis://127.0.0.1:${port}`,
    redis,
    process: spawned({}),
    kill: async () => {
      const ended = once(server.process, 'exit');
      server.process.kill('SIGKILL');
      await ended;
    },
    start: (options = {}) => {
      server.process = spawned(options);
    },
    close: async () => {
      redis.disconnect();
      server.start = () => undefined;
      if (server.process.exitCode === null && server.process.signalCode === null) await server.kill();
      await rm(dir, { recursive: true });
    },
  };
  // Where a test ends before it closes it.
  process.once('exit', () => server.process.kill('SIGKILL'));
  await redis.ping();
  return server;
}

function pairs(flat: unknown[]): [unknown, unknown][] {
  return flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1]]] : [])) as [unknown, unknown][];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
