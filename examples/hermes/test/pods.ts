/** Pods, upstream and a server for a file of tests, each of which begins with new pods and an empty server. */
import assert from 'node:assert/strict';
import { after, before, beforeEach } from 'node:test';

import type { FastifyInstance, InjectOptions } from 'fastify';
import type { Redis } from 'ioredis';
import { LockedQuoteInfo, Outage, Timing } from 'quotelock';

import { addScreens } from '../api/screens.js';
import { jsonServer } from '../api/server.js';
import { startRedis } from '../launch/redis.js';
import { Stage } from '../launch/stage.js';
import { Fleet } from '../service/fleet.js';
import { type Quote, Quotes } from '../service/quotes.js';
import { Rents } from '../service/rents.js';
import { connect } from '../store/connect.js';
import { QuotelockStore } from '../store/quotelock.js';
import { Book, type PlanRule } from '../upstream/book.js';
import { UpstreamClient } from '../upstream/client.js';
import { NO_FAULTS } from '../upstream/faults.js';
import { Upstream } from '../upstream/server.js';

export const COPY_BYTES = 1024 * 1024;
export const KEY = 'hermes:LockedQuoteInfo:ann';
export const TOGGLE = 'hermes:pricingReleaseToggle';
export const timing = new Timing({ ttlMs: 60_000, bufferMs: 10_000, lagMs: 300, alignMs: 1000 });
export const book = new Book({
  seed: 5,
  vehicles: 400,
  priceChangesPerSecond: 100,
  tagChangesPerSecond: 400,
  maxCommitMs: 200,
});
export const upstream = new Upstream(book, NO_FAULTS);
export const clients: UpstreamClient[] = [];
export let pods: FastifyInstance[] = [];
export let stores: QuotelockStore[] = [];
export let redis: Redis;
export let address: string;
const stage = new Stage();

before(async () => {
  redis = connect({ port: (await startRedis(stage, timing)).port });
  LockedQuoteInfo.bind(redis);
  redis.setMaxListeners(0); // each pod of each test waits for its end
  address = `127.0.0.1:${await upstream.listen()}`;
  for (let pod = 0; pod < 4; pod += 1) clients.push(new UpstreamClient(address));
});
// New pods each time, as copies outlive the flush. The first two have copies, the others have none.
beforeEach(async () => {
  await redis.flushall();
  stores = clients.map((_, pod) => new QuotelockStore(redis, timing, new Outage(), pod < 2 ? COPY_BYTES : 0));
  pods = stores.map((store, pod) => {
    const quotes = new Quotes(store, clients[pod] as UpstreamClient, '3');
    const service = { quotes, rents: new Rents(quotes, store.rents), upstream: quotes.upstream };
    const server = jsonServer(`pod-${pod}`);
    addScreens(server, new Fleet(400), () => service);
    return server;
  });
});
after(async () => {
  redis.disconnect();
  for (const client of clients) client.close();
  upstream.close();
  await stage.stop();
});

/** Has other pods be asked, in this test. */
export function use(others: FastifyInstance[]): void {
  pods = others;
}

/** What a pod answers. */
export async function ask(
  method: 'GET' | 'POST' | 'PATCH',
  path: string,
  body: Record<string, unknown> | string = {},
  pod = 0,
  user = 'ann',
  roles = '7,3',
) {
  const headers = { 'x-user-id': user, 'x-role-ids': roles };
  const asked: InjectOptions = { method, url: path, headers, ...(method === 'GET' ? {} : { payload: body }) };
  const answer = await (pods[pod] as FastifyInstance).inject(asked);
  assert.equal(answer.headers['x-pod'], `pod-${pod}`);
  return { status: answer.statusCode, body: answer.json() };
}

/** What a quote says of one scooter. */
export function priceOf({ scooters, prices }: Quote, id: string): [PlanRule, ...PlanRule[]] {
  const pricingId = scooters.find((scooter) => scooter.id === id)?.pricingId ?? '';
  return prices[pricingId] as [PlanRule, ...PlanRule[]];
}

/** A lock of another moment, as if the one before had expired. */
export async function moveOn(ago: number): Promise<string> {
  const queryTime = new Date(Date.now() - ago).toISOString();
  await redis.set(KEY, JSON.stringify({ roleIds: ['3', '7'], queryTime }), 'PX', 30_000);
  return queryTime;
}

/** How often the server was asked for rows: what changed, what there is, and what is claimed. */
export async function asked(): Promise<[changes: number, reads: number, claims: number]> {
  const info = await redis.info('commandstats');
  const calls = (name: string) => Number(new RegExp(`cmdstat_vehprice\\.${name}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
  return [calls('changes'), calls('mget'), calls('claim')];
}
