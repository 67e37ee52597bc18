/**
 * One pod of hermes as a process. It reads its settings as JSON from POD, and sends its port in a message to its parent process.
 */
import type { FastifyRequest } from 'fastify';
import type { Redis } from 'ioredis';
import { LockedQuoteInfo, type NextMoment, Outage, Timing, type TimingOptions } from 'quotelock';

import { Fleet } from '../service/fleet.js';
import { Quotes } from '../service/quotes.js';
import { Rents } from '../service/rents.js';
import { type RedisAt, bytesOf, connect } from '../store/connect.js';
import { QuotelockStore } from '../store/quotelock.js';
import type { Store } from '../store/store.js';
import { TodayStore } from '../store/today.js';
import { UpstreamClient } from '../upstream/client.js';
import { type Service, addScreens } from './screens.js';
import { jsonServer } from './server.js';
import { traceRedis, traceScreens, traceUpstream } from './trace.js';

export type Mode = 'quotelock' | 'today';

export interface PodOptions {
  name: string;
  redis: RedisAt;
  upstream: string;
  vehicles: number;
  rentFlow: string;
  timing: TimingOptions;
  /** With quotelock: how much of the pod's memory copies of tables may take; 0: no copies. */
  copyBytes: number;
  /** With quotelock: whether the tables of a `queryTime` are filled before locks use it. */
  keepWarm: boolean;
  /**
   * Without quotelock: how long a vehicle's tags are kept, how far the pod's clock is off, and the database to use (default 0).
   */
  tagsMs: number;
  clockOffsetMs: number;
  todayDb?: number;
}

export interface PodStats {
  /** How many screens with prices were answered. */
  screens: number;
  upstreamCalls: number;
  /** Bytes between pod and Redis, in both directions. */
  redisBytes: number;
}

interface Running extends Service {
  screens: number;
  redisBytes(): number;
}

const options = JSON.parse(process.env['POD'] ?? '{}') as PodOptions;
// A screen does not wait for a Redis that is down.
const impatient = { maxRetriesPerRequest: 1, commandTimeout: 1000 };
const redis = traceRedis(connect(options.redis, impatient));
const todayRedis = traceRedis(connect(options.redis, { ...impatient, db: options.todayDb ?? 0 }));
LockedQuoteInfo.bind(redis);
const timing = new Timing(options.timing);
const outage = new Outage({
  onChange: (isOn) => console.error(`pod ${options.name} ${isOn ? 'goes on without' : 'is back with'} Redis`),
});
const now = () => Date.now() + options.clockOffsetMs;
const fleet = new Fleet(options.vehicles);
const store = new QuotelockStore(redis, timing, outage, options.copyBytes);
const modes: Record<Mode, Running> = {
  quotelock: running(store, redis),
  today: running(new TodayStore(todayRedis, timing, options.tagsMs, now), todayRedis),
};

if (options.keepWarm) {
  const fill = (moment: NextMoment) => modes.quotelock.quotes.warm(moment, [...fleet.all]);
  store.keepWarm(fill, (error) => console.error(`pod ${options.name}: not kept warm:`, error));
}

function running(store: Store, redis: Redis): Running {
  const upstream = new UpstreamClient(options.upstream, traceUpstream);
  const quotes = new Quotes(store, upstream, options.rentFlow);
  return { quotes, rents: new Rents(quotes, store.rents), upstream, screens: 0, redisBytes: bytesOf(redis) };
}

function runningFor(request: FastifyRequest): Running {
  return modes[request.headers['x-mode'] === 'today' ? 'today' : 'quotelock'];
}

function stats(mode: Mode): PodStats {
  const { screens, upstream, redisBytes } = modes[mode];
  return { screens, upstreamCalls: upstream.calls, redisBytes: redisBytes() };
}

const server = jsonServer(options.name);
server.get('/stats', async () => ({ today: stats('today'), quotelock: stats('quotelock') }));
server.register(async (screens) => {
  screens.addHook('onResponse', async (request, { statusCode }) => {
    if (request.method !== 'PATCH' && statusCode !== 400 && statusCode < 500) runningFor(request).screens += 1;
  });
  traceScreens(screens);
  addScreens(screens, fleet, runningFor);
});
await server.listen({ host: '127.0.0.1', port: 0 });
process.send?.({ port: server.addresses()[0]?.port });
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole process group: the parent process stops the pods.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => process.exit(0));
