// What the tests stand on: the server at REDIS_URL, through every driver, with keys of each test's own.
import { randomUUID } from 'node:crypto';
import { after, before, describe } from 'node:test';

import { Redis } from 'ioredis';
import { createClient, createClientPool } from 'redis';

import type { Driver } from 'quotelock';

export const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';

/** An open driver, and how to close it. */
interface Open {
  driver: Driver;
  close(): unknown;
}

const DRIVERS: Record<string, () => Promise<Open> | Open> = {
  ioredis() {
    const redis = new Redis(url);
    return { driver: redis, close: () => redis.quit() };
  },
  'ioredis, pipelining'() {
    const redis = new Redis(url, { enableAutoPipelining: true });
    return { driver: redis, close: () => redis.quit() };
  },
  async 'node-redis'() {
    const redis = await createClient({ url }).connect();
    return { driver: redis, close: () => redis.close() };
  },
  async 'node-redis, RESP3'() {
    const redis = await createClient({ url, RESP: 3 }).connect();
    return { driver: redis, close: () => redis.close() };
  },
  async 'node-redis, a pool'() {
    const pool = createClientPool({ url });
    await pool.connect();
    return { driver: pool, close: () => pool.close() };
  },
  async 'a function'() {
    const redis = await createClient({ url }).connect();
    return { driver: (words: string[]) => redis.sendCommand(words), close: () => redis.close() };
  },
};

/** The same tests through each driver. `driver` is there once a test runs. */
export function throughEachDriver(tests: (driver: () => Driver) => void): void {
  for (const [name, open] of Object.entries(DRIVERS)) {
    describe(name, () => {
      let opened: Open;
      before(async () => {
        opened = await open();
      });
      after(() => opened.close());
      tests(() => opened.driver);
    });
  }
}

/** A client of ioredis for what the tests do besides. */
export function plainRedis(): Redis {
  const redis = new Redis(url);
  after(() => redis.quit());
  return redis;
}

/** A key that no other test has. */
export function key(name = 'key'): string {
  return `${name}:${randomUUID()}`;
}
