import { createHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { Timing } from 'quotelock';

import { startPods, startUpstream } from '../launch/pods.js';
import { startRedis } from '../launch/redis.js';
import type { Stage } from '../launch/stage.js';
import { AREAS, dice } from './app.js';
import { Gateway } from './gateway.js';
import { COPY_BYTES, type RunOptions } from './options.js';
import { RENT_FLOW } from './run.js';
import { Tally, type Times, timesOf } from './tally.js';

/** How long maps took. */
export interface Turns {
  keepWarm: boolean;
  /** When `queryTime` has just changed, and its tables must be filled unless they are kept warm. */
  turn: Times;
  within: Times;
}

/** Maps of an area, each for a new user, at a steady rate: a slow one does not delay later ones. */
export async function measureTurns(options: RunOptions, keepWarm: boolean, stage: Stage): Promise<Turns> {
  const { timing: settings, moments, mapsPerSecond, turnMs } = options.turns;
  const redis = await startRedis(stage, settings);
  const upstream = await startUpstream(stage, options.book, options.faults);
  const pods = await startPods(stage, options.pods, options.clocksApartMs, {
    redis: { port: redis.port },
    upstream: upstream.address,
    vehicles: options.book.vehicles,
    rentFlow: RENT_FLOW,
    timing: settings,
    copyBytes: COPY_BYTES,
    keepWarm,
    tagsMs: options.tagsMs,
  });
  const gateway = new Gateway(pods, 'quotelock', new Tally());
  const [turn, within] = [createHistogram(), createHistogram()];
  const look = async (user: number, since: number, into: typeof turn | undefined) => {
    const roleIds = [String(3 + (user % 12))];
    const path = `/scooters?area=${dice(AREAS)}`;
    const { status } = await gateway.ask({ method: 'GET', path, user: `turn-${user}`, roleIds });
    if (status !== 200) throw new Error(`${path}: ${status}`);
    into?.record(Math.max(1, Math.round(Date.now() - since)));
  };

  const timing = new Timing(settings);
  const start = timing.nextMoment(new Date()).since.getTime();
  const end = start + (moments + 1) * timing.alignMs;
  const maps: Promise<void>[] = [];
  for (let user = 0; ; user += 1) {
    const at = start + (user * 1000) / mapsPerSecond;
    if (at >= end) break;
    await sleep(Math.max(0, at - Date.now()));
    // With the first `queryTime` the pods learn which roles there are.
    const into = at < start + timing.alignMs ? undefined : (at - start) % timing.alignMs < turnMs ? turn : within;
    maps.push(look(user, at, into));
  }
  await Promise.all(maps);
  gateway.close();
  return { keepWarm, turn: timesOf(turn), within: timesOf(within) };
}
