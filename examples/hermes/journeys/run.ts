import { setTimeout as sleep } from 'node:timers/promises';

import type { Mode } from '../api/pod.js';
import { startPods, startUpstream } from '../launch/pods.js';
import { startRedis, startSentinel } from '../launch/redis.js';
import type { Stage } from '../launch/stage.js';
import { connect } from '../store/connect.js';
import { Book, type Pricing } from '../upstream/book.js';
import { App } from './app.js';
import { Gateway } from './gateway.js';
import { type MapCost, measureMaps } from './maps.js';
import type { RunOptions, Variant } from './options.js';
import { type Shown, Tally } from './tally.js';
import { Trouble } from './trouble.js';

/** The outcome of a run. */
export interface Outcome {
  name: string;
  mode: Mode;
  journeys: number;
  mismatches: number;
  /** Of the mismatches, those with the same queryTime as the step before. */
  sameMoment: number;
  journeysWithMismatch: number;
  /** Distinct prices shown, and those of them that differ from the book for their `queryTime`. */
  pricesShown: number;
  pricesNotInBook: number;
  newQuotes: number;
  upstreamCalls: number;
  askedAgain: number;
  lostRents: number;
  killedPods: number;
  failoverMs: number | undefined;
  seconds: number;
  times: ReturnType<Tally['times']>;
  mapCost: MapCost;
  unexpected: string[];
}

export const RENT_FLOW = '3';
const ROLES = 12;
const NAME = 'hermes';

export async function run({ name, mode, copyBytes }: Variant, options: RunOptions, stage: Stage): Promise<Outcome> {
  const { timing, book, faults, tagsMs } = options;
  const primary = await startRedis(stage, timing);
  await startRedis(stage, timing, { replicaOf: primary });
  const redisAt = { sentinel: (await startSentinel(stage, NAME, primary)).port, name: NAME };
  const upstream = await startUpstream(stage, book, faults);
  const pods = await startPods(stage, options.pods, options.clocksApartMs, {
    redis: redisAt,
    upstream: upstream.address,
    vehicles: book.vehicles,
    rentFlow: RENT_FLOW,
    timing,
    copyBytes,
    keepWarm: false,
    tagsMs,
  });

  const tally = new Tally();
  const gateway = new Gateway(pods, mode, tally);
  const redis = connect(redisAt);
  const mapCost = await measureMaps(gateway, redis, timing, options.maps);
  const callsBefore = await upstream.calls();
  const trouble = new Trouble(options, pods, upstream, primary, redis);
  const since = Date.now();
  const users = Array.from({ length: options.users }, (_, user) => ride(user, mode, options, gateway, tally));
  await Promise.all([trouble.make(), ...users]);
  const seconds = (Date.now() - since) / 1000;
  gateway.close();
  redis.disconnect();

  const shown = [...tally.shown.values()];
  const truth = new Book(book);
  return {
    name,
    mode,
    journeys: tally.journeys,
    mismatches: tally.mismatches,
    sameMoment: tally.sameMoment,
    journeysWithMismatch: tally.journeysWithMismatch,
    pricesShown: shown.length,
    pricesNotInBook: shown.filter((price) => !isIn(truth, price)).length,
    newQuotes: tally.newQuotes,
    upstreamCalls: (await upstream.calls()) - callsBefore,
    askedAgain: tally.askedAgain,
    lostRents: tally.lostRents,
    killedPods: trouble.killedPods,
    failoverMs: trouble.failoverMs,
    seconds,
    times: tally.times(),
    mapCost,
    unexpected: tally.unexpected,
  };
}

/** One journey after another, until the time is up. */
async function ride(user: number, mode: Mode, options: RunOptions, gateway: Gateway, tally: Tally): Promise<void> {
  const { lookMs, seconds } = options;
  const roleIds = [String(3 + (user % ROLES)), ...(user % 3 === 0 ? ['7'] : [])];
  const until = Date.now() + seconds * 1000;
  const app = new App(gateway, mode, tally, `user-${user}`, roleIds, lookMs, until);
  await sleep(Math.random() * 2 * lookMs);
  do {
    try {
      await app.journey();
    } catch (error) {
      tally.unexpected.push(String(error));
    }
  } while (Date.now() < until);
}

/** Whether a price is the one that upstream always gives for its `queryTime`. */
function isIn(book: Book, { queryTime, roleIds, pricing, pricingId, vehicleId, planId, cents }: Shown): boolean {
  const moment = Date.parse(queryTime);
  if (book.tags(vehicleId, RENT_FLOW, moment, Infinity)?.pricingId !== pricingId) return false;
  const rules = book.rules(pricing as Pricing, pricingId, roleIds.split(','), moment, Infinity);
  const rule = rules.find((plan) => plan.planId === planId.replace(/_old$/, ''));
  return rule !== undefined && cents === `${rule.unlockCents}+${rule.perMinuteCents}`;
}
