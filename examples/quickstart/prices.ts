import { Redis } from 'ioredis';
import { LockedQuoteInfo, PriceTables, Timing } from 'quotelock';
import { fetchPrices } from './pricing-service.js'; // yours: [id, { price }] for each id

export const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379');
LockedQuoteInfo.bind(redis);
const tables = new PriceTables(redis);
const timing = new Timing({ ttlMs: 360_000, alignMs: 60_000, lagMs: 2000 }); // same in all pods

/** The prices that this user's map shows, from any pod. */
export async function prices(userId: string, roleIds: string[], vehicleIds: string[]) {
  const lock = await new LockedQuoteInfo().acquire(userId, roleIds, timing.lockOptions);
  const table = timing.table(lock, 'prices', lock.roleIds);
  const fetch = (missing: string[]) => fetchPrices(missing, lock.queryTime, lock.roleIds);
  return (await tables.getOrFill(table, vehicleIds, fetch, { fields: ['price'] })).rows;
}
