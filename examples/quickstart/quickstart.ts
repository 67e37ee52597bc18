import { Redis } from 'ioredis';
import { type Lock, LockedQuoteInfo, PriceTables, Timing } from 'quotelock';

const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379');
LockedQuoteInfo.bind(redis);
const locks = new LockedQuoteInfo();
const tables = new PriceTables(redis);
const timing = new Timing({ ttlMs: 360_000, alignMs: 60_000, lagMs: 2000 }); // the same in all pods
const tableOf = (lock: Lock) => timing.table(lock, 'quickstart:prices', lock.roleIds);
const rows = { fields: ['price'] as const };

// Stands in for your pricing service, whose prices change all the time. Call yours with the lock's `queryTime` and roles.
const upstream = async (ids: string[]) => ids.map((id) => [id, { price: (1 + Math.random()).toFixed(2) }] as const);

// The map creates or renews the user's lock, and shows many vehicles.
const mapLock = await locks.acquire('42', ['3', '7'], timing.lockOptions);
const map = await tables.getOrFill(tableOf(mapLock), ['4711', '4712', '4713'], upstream, rows);
console.log(`map: 4711 costs ${map.rows[0]?.price}, ${map.filled} prices fetched`);

// A vehicle's page only creates a lock if there is none. Another pod may serve it: it reads the same rows.
const pageLock = await locks.acquire('42', ['3', '7'], { ...timing.lockOptions, ifMissing: true });
const page = await tables.getOrFill(tableOf(pageLock), ['4711'], upstream, rows);
const price = page.rows[0]?.price ?? '';
console.log(`page: 4711 costs ${price}, ${page.filled} prices fetched`);

// Reserving reads the lock, and compares the row with what the app sends back: what its user saw.
const seen = { queryTime: pageLock.queryTime, row: { price } };
const { verdict } = await tables.reserve(await locks.getById('42'), tableOf, '4711', seen, upstream, rows);
console.log(`reserve: ${verdict}`);
await redis.quit();
