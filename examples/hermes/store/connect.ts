import type { Socket } from 'node:net';

import { Redis, type RedisOptions } from 'ioredis';

/** Where Redis is: at a port, or wherever a Sentinel says that the primary is. */
export type RedisAt = { port: number } | { sentinel: number; name: string };

const RETRY_MS = 100;

const options: RedisOptions = {
  // During a failover commands wait, then go to the new primary.
  retryStrategy: () => RETRY_MS,
  sentinelRetryStrategy: () => RETRY_MS,
  maxRetriesPerRequest: 100,
  reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
};

export function connect(at: RedisAt, given: RedisOptions = {}): Redis {
  const where = 'port' in at ? { port: at.port } : { sentinels: [{ host: '127.0.0.1', port: at.sentinel }], name: at.name };
  const redis = new Redis({ host: '127.0.0.1', ...where, ...options, ...given });
  redis.on('error', () => undefined); // it retries; commands that never succeed have errors of their own
  return redis;
}

/** Counts the bytes through a client's successive connections, in both directions. */
export function bytesOf(redis: Redis): () => number {
  let before = 0;
  let socket: Socket | undefined;
  const bytes = () => (socket ? socket.bytesRead + socket.bytesWritten : 0);
  redis.on('connect', () => {
    before += bytes();
    socket = redis.stream as Socket;
  });
  return () => before + bytes();
}
