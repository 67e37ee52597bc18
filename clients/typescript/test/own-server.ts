// A server of a test's own, of the kind of the one at REDIS_URL, for what would disturb the other tests.
import { spawn } from 'node:child_process';
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
  close(): Promise<void>;
}

/** `like` is a client of the server that it is to be like. It has to run on this machine. */
export async function ownServer(like: Redis): Promise<OwnServer> {
  const executable = /^executable:(.*)$/m.exec(await like.info('server'))?.[1]?.trim() ?? '';
  const modules = (await like.call('MODULE', ['LIST'])) as unknown[][];
  const library = modules.map((module) => new Map(pairs(module))).find((module) => module.get('name') === 'quotelock');
  const port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), 'quotelock-'));
  const options = { port, dir, save: '', 'repl-diskless-sync-delay': 0, loadmodule: String(library?.get('path')) };
  const words = Object.entries({ ...options, 'enable-debug-command': 'yes' }).flatMap(([name, value]) => [
    `--${name}`,
    `${value}`,
  ]);
  const server = spawn(executable, words, { stdio: 'ignore' });
  const ended = once(server, 'exit');
  // Where a test ends before it closes it.
  process.once('exit', () => server.kill('SIGKILL'));
  const redis = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null, retryStrategy: () => 20 });
  redis.on('error', () => undefined);
  await redis.ping();
  return {
    url: `redis://127.0.0.1:${port}`,
    redis,
    close: async () => {
      redis.disconnect();
      server.kill();
      await ended;
      await rm(dir, { recursive: true });
    },
  };
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
