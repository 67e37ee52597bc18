import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';
import type { TimingOptions } from 'quotelock';

import { type Stage, freePort } from './stage.js';

export interface RedisServer {
  child: ChildProcess;
  port: number;
}

const PATIENCE_MS = 30_000;

/** The server to run and the library to load, as `make` and the tests name them. */
function programs(): { server: string; module: string } {
  const { REDIS_SERVER: server, QUOTELOCK_MODULE: module } = process.env;
  if (!server || !module) throw new Error('REDIS_SERVER and QUOTELOCK_MODULE name the server and the library: use make');
  return { server, module };
}

/** A server with the module, its data in memory alone. */
export async function startRedis(
  stage: Stage,
  timing: Required<TimingOptions>,
  options: { replicaOf?: RedisServer; port?: number } = {},
  attempts = 50,
): Promise<RedisServer> {
  const { server, module } = programs();
  const { replicaOf, port = await freePort() } = options;
  const log = join(stage.directory, `redis-${port}.log`);
  const loggedBefore = existsSync(log) ? readFileSync(log).length : 0;
  const child = stage.spawn(`redis-${port}`, server, [
    ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', stage.directory, '--save', '', '--appendonly', 'no'],
    ...['--repl-diskless-sync-delay', '0'],
    ...(replicaOf ? ['--replicaof', '127.0.0.1', `${replicaOf.port}`] : []),
    ...['--loadmodule', module, 'lock-ttl-ms', `${timing.ttlMs}`, 'lock-buffer-ms', `${timing.bufferMs}`],
    ...['lock-lag-ms', `${timing.lagMs}`, 'lock-align-s', `${timing.alignMs / 1000}`],
  ]);
  try {
    await until(port, child, async (redis) =>
      replicaOf ? (await redis.info('replication')).includes('master_link_status:up') : (await redis.ping()) === 'PONG',
    );
  } catch (error) {
    // Another process may have the port for a while.
    const isTaken = child.exitCode !== null && readFileSync(log).subarray(loggedBefore).includes('Address already in use');
    if (!isTaken || attempts === 1) throw error;
    await sleep(100);
    return startRedis(stage, timing, options, attempts - 1);
  }
  return { child, port };
}

/** A Sentinel that watches a primary, and promotes its replica soon after the primary is gone. */
export async function startSentinel(stage: Stage, name: string, primary: RedisServer): Promise<RedisServer> {
  const port = await freePort();
  const conf = join(stage.directory, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${stage.directory}`,
    `sentinel monitor ${name} 127.0.0.1 ${primary.port} 1`,
    `sentinel down-after-milliseconds ${name} 1000`,
    `sentinel failover-timeout ${name} 5000`,
  ];
  writeFileSync(conf, `${lines.join('\n')}\n`);
  const child = stage.spawn('sentinel', programs().server, [conf, '--sentinel']);
  await until(port, child, async (sentinel) => {
    const replicas = (await sentinel.call('SENTINEL', 'REPLICAS', name)) as unknown[];
    return replicas.length > 0;
  });
  return { child, port };
}

async function until(port: number, child: ChildProcess, ready: (redis: Redis) => Promise<boolean>): Promise<void> {
  const redis = new Redis({ port, retryStrategy: () => 50, maxRetriesPerRequest: null });
  redis.on('error', () => undefined); // not up yet
  const gone = new Promise<never>((_, reject) => {
    child.once('exit', (code) => reject(new Error(`the server at port ${port} ended with ${code}`)));
    child.once('error', reject);
  });
  const waiting = async () => {
    for (const since = Date.now(); !(await ready(redis)); await sleep(50)) {
      if (Date.now() - since > PATIENCE_MS) throw new Error(`the server at port ${port} is not ready`);
    }
  };
  try {
    await Promise.race([waiting(), gone]);
  } finally {
    gone.catch(() => undefined);
    redis.disconnect();
  }
}
