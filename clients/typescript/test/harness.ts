// What the tests stand on: the server at REDIS_URL, through every driver, with keys of each test's own.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe } from 'node:test';

import { GlideClient, Logger, ProtocolVersion } from '@valkey/valkey-glide';
import * as ioredis from 'ioredis';
import type { Driver } from 'quotelock';
import * as nodeRedis from 'redis';

export const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';

/** The majors of each driver. 6 needs Node 20 or newer; types.test.ts holds the types, the others take them as those of 5. */
export const IOREDIS: Record<string, typeof ioredis> = { 'ioredis 5': ioredis, iovalkey: require('iovalkey') };
export const NODE_REDIS: Record<string, typeof nodeRedis> = { 'node-redis 5': nodeRedis };
if (Number(process.versions.node.split('.')[0]) >= 20) {
  IOREDIS['ioredis 6'] = require('ioredis-6');
  NODE_REDIS['node-redis 6'] = require('redis-6');
}

/** An open driver, and how to close it. */
interface Open {
  driver: Driver;
  close(): unknown;
}

/** How to open each, to the server at an address. */
const DRIVERS: Record<string, (at: string) => Promise<Open>> = {};

/** What a driver can't do it tells whoever calls it. */
const ignore = () => undefined;

for (const [name, { Redis }] of Object.entries(IOREDIS)) {
  const through = (options: object) => async (at: string) => {
    const redis = new Redis(at, options).on('error', ignore);
    return { driver: redis, close: () => redis.quit() };
  };
  DRIVERS[name] = through({});
  DRIVERS[`${name}, pipelining`] = through({ enableAutoPipelining: true });
  if (name === 'ioredis 6') DRIVERS[`${name}, RESP3`] = through({ replyMapping: 'resp3' });
}

for (const [name, { createClient, createClientPool }] of Object.entries(NODE_REDIS)) {
  const through = (RESP: 2 | 3) => async (url: string) => {
    const redis = await createClient({ url, RESP }).on('error', ignore).connect();
    return { driver: redis, close: () => redis.close() };
  };
  DRIVERS[`${name}, RESP2`] = through(2);
  DRIVERS[`${name}, RESP3`] = through(3);
  DRIVERS[`${name}, a pool`] = async (url) => {
    const pool = createClientPool({ url }).on('error', ignore);
    await pool.connect();
    return { driver: pool, close: () => pool.close() };
  };
}

for (const protocol of ['RESP2', 'RESP3'] as const) {
  DRIVERS[`GLIDE, ${protocol}`] = async (url) => {
    const client = await glideClient(url, { protocol: ProtocolVersion[protocol] });
    return { driver: client, close: () => client.close() };
  };
}

DRIVERS['a function'] = async (url) => {
  const redis = await nodeRedis.createClient({ url }).on('error', ignore).connect();
  return { driver: (words: string[]) => redis.sendCommand(words), close: () => redis.close() };
};

/**
 * The same tests through each driver, to the server at REDIS_URL or another. `driver` is there once a test runs, and `connect` makes
 * another like it, for a driver that does not do so itself.
 */
export function throughEachDriver(
  tests: (driver: () => Driver, connect?: () => Promise<Driver>) => void,
  at: () => string = () => url,
): void {
  for (const [name, open] of Object.entries(DRIVERS)) {
    describe(name, () => {
      const opened: Open[] = [];
      const connect = async () => {
        const one = await open(at());
        opened.push(one);
        return one.driver;
      };
      before(connect);
      after(() => Promise.all(opened.map(({ close }) => close())));
      tests(() => opened[0]?.driver as Driver, /^(GLIDE|a function)/.test(name) ? connect : undefined);
    });
  }
}

Logger.init('off');

// What a test that failed has left open must not keep its process for ever.
after(() => setTimeout(() => process.exit(), 5000).unref());

/** A client of GLIDE. What waits, waits for less than 20 s in the tests. */
export function glideClient(url: string, options: object = {}): Promise<GlideClient> {
  const { hostname, port } = new URL(url);
  return GlideClient.createClient({
    addresses: [{ host: hostname, port: Number(port || 6379) }],
    requestTimeout: 20_000,
    ...options,
  });
}

/** A client of ioredis for what the tests do besides. */
export function plainRedis(): ioredis.Redis {
  const redis = new ioredis.Redis(url);
  after(() => redis.quit());
  return redis;
}

/** What a call fails with. */
export async function failureOf(call: Promise<unknown>): Promise<Error> {
  const error = await call.then(
    () => assert.fail('it did not fail'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof Error, String(error));
  return error;
}

/** A key that no other test has. */
export function key(name = 'key'): string {
  return `${name}:${randomUUID()}`;
}
