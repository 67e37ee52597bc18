import { Redis, type RedisOptions } from 'ioredis';

/** Where Redis is: at a port, or wherever a Sentinel says that the primary is. */
export type RedisAt = { port: number } | { sentinel: number; name: string };

const RETRY_MS = 100;

const options: RedisOptions = {
  // Through a failover: commands wait, and go to the new primary.
  retryStrategy: () => RETRY_MS,
  sentinelRetryStrategy: () => RETRY_MS,
  maxRetriesPerRequest: 100,
  reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
};

export function connect(at: RedisAt, given: RedisOptions = {}): Redis {
  const where = 'port' in at ? { port: at.port } : { sentinels: [{ host: '127.0.0.1', port: at.sentinel }], name: at.name };
  const redis = new Redis({ host: '127.0.0.1', ...where, ...options, ...given });
  redis.on('error', () => undefined); // what it can't do it tries again; commands that never succeed have errors of their own
  return redis;
}
