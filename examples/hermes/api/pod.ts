/** One pod of hermes as a process: settings as JSON in POD, its port by a message to whoever started it. */
import type { AddressInfo } from 'node:net';

import { Fleet } from '../service/fleet.js';
import { Quotes } from '../service/quotes.js';
import { Rents } from '../service/rents.js';
import { type RedisAt, connect } from '../store/connect.js';
import { QuotelockStore } from '../store/quotelock.js';
import type { Store } from '../store/store.js';
import type { Timing } from '../store/timing.js';
import { TodayStore } from '../store/today.js';
import { UpstreamClient, UpstreamError } from '../upstream/client.js';
import { type Answer, type Request, jsonServer } from './http.js';
import { Screens, type Service } from './screens.js';

export type Mode = 'quotelock' | 'today';

export interface PodOptions {
  name: string;
  redis: RedisAt;
  upstream: string;
  vehicles: number;
  rentFlow: string;
  timing: Timing;
  /** As today: how long a vehicle's tags are kept, and how far the pod's clock is off. */
  tagsMs: number;
  clockOffsetMs: number;
}

export interface PodStats {
  /** Screens answered that show prices. */
  screens: number;
  upstreamCalls: number;
}

interface Running extends Service {
  upstream: UpstreamClient;
  screens: number;
}

const options = JSON.parse(process.env['POD'] ?? '{}') as PodOptions;
const redis = connect(options.redis);
const screens = new Screens(new Fleet(options.vehicles));
const now = () => Date.now() + options.clockOffsetMs;
const modes: Record<Mode, Running> = {
  quotelock: running(new QuotelockStore(redis, options.timing)),
  today: running(new TodayStore(redis, options.timing, options.tagsMs, now)),
};

function running(store: Store): Running {
  const upstream = new UpstreamClient(options.upstream);
  const quotes = new Quotes(store, upstream, options.rentFlow);
  return { quotes, rents: new Rents(quotes, store.rents), upstream, screens: 0 };
}

async function answer(request: Request): Promise<Answer> {
  if (request.path[0] === 'stats') return { status: 200, body: { today: stats('today'), quotelock: stats('quotelock') } };
  const mode = modes[request.headers['x-mode'] === 'today' ? 'today' : 'quotelock'];
  const answered = await screens.answer(request, mode);
  if (!answered) return { status: 404, body: { error: 'there is nothing here' } };
  if (request.method !== 'PATCH' && answered.status < 500) mode.screens += 1;
  return answered;
}

function stats(mode: Mode): PodStats {
  return { screens: modes[mode].screens, upstreamCalls: modes[mode].upstream.calls };
}

function failed(error: unknown): Answer {
  if (!(error instanceof UpstreamError)) console.error(`pod ${options.name}:`, error);
  const why = error instanceof UpstreamError ? 'no price can be had now' : 'that went wrong';
  return { status: 503, body: { error: `${why}, ask again` } };
}

const server = jsonServer(answer, failed, { 'x-pod': options.name });
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole group of processes: whoever started the pods ends them.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => process.exit(0));
