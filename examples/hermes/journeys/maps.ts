import { setTimeout as sleep } from 'node:timers/promises';

import type { Redis } from 'ioredis';
import { Timing, type TimingOptions } from 'quotelock';

import { AREAS, dice } from './app.js';
import type { Gateway } from './gateway.js';

/** What a map screen costs on average between pods and Redis. */
export interface MapCost {
  maps: number;
  /** Sent in both directions, replication apart. */
  bytes: number;
  /** CPU time of the server's main thread. */
  cpuMicros: number;
}

const AT_ONCE = 16;
/**
 * About how long the maps take: they should share one `queryTime`, for which each table is filled once and each copy is made
 * once.
 */
const ABOUT_MS = 6000;

/** Maps only, each for a different user who has no lock yet: one in a hundred shows all vehicles, the others one area. */
export async function measureMaps(
  gateway: Gateway,
  redis: Redis,
  timing: Required<TimingOptions>,
  maps: number,
): Promise<MapCost> {
  const leftMs = new Timing(timing).nextMoment(new Date()).since.getTime() - Date.now();
  if (leftMs < ABOUT_MS) await sleep(leftMs);
  const before = await totals(redis);
  let asked = 0;
  const look = async () => {
    while (asked < maps) {
      asked += 1;
      const path = asked % 100 === 0 ? '/scooters' : `/scooters?area=${dice(AREAS)}`;
      const reply = await gateway.ask({ method: 'GET', path, user: `map-${asked}`, roleIds: [String(3 + (asked % 12))] });
      if (reply.status !== 200) throw new Error(`${path}: ${reply.status}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, look));
  const after = await totals(redis);
  return { maps, bytes: (after.bytes - before.bytes) / maps, cpuMicros: (after.cpuMicros - before.cpuMicros) / maps };
}

async function totals(redis: Redis): Promise<{ bytes: number; cpuMicros: number }> {
  const info = `${await redis.info('stats')}\n${await redis.info('cpu')}`;
  const of = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]);
  const clients = (way: string) => of(`total_net_${way}_bytes`) - of(`total_net_repl_${way}_bytes`);
  const seconds = of('used_cpu_user_main_thread') + of('used_cpu_sys_main_thread');
  return { bytes: clients('input') + clients('output'), cpuMicros: seconds * 1e6 };
}
