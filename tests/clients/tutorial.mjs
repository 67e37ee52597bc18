import Redis from 'ioredis';

const [screen, vehicle, seen] = process.argv.slice(2); // map, page 4711, or reserve 4711 1.37
const redis = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379');
const ask = async (...words) => JSON.parse(await redis.call(...words));
const user = 'hermes:LockedQuoteInfo:7';
const roleIds = JSON.stringify(['3', '7']);

// Stands in for your pricing service, which takes its time and whose prices change all the time.
async function upstream(ids, { queryTime, roleIds }) {
  console.log(`fetched from upstream: ${ids}, at ${queryTime}, for roles ${roleIds}`);
  await new Promise((resolve) => setTimeout(resolve, 200));
  return Object.fromEntries(ids.map((id) => [id, { price: (1 + Math.random()).toFixed(2) }]));
}

// A table is named after all that upstream's answer depends on.
const tableOf = ({ queryTime, roleIds }) => `tutorial:prices:{${queryTime}}:${[...roleIds].sort()}`;

// The rows of these vehicles under a lock. What is missing is fetched and stored; of several pods the first one's rows stand.
async function prices(lock, ids) {
  const read = () => ask('VEHPRICE.MGET', tableOf(lock), 'JSON', 'LIST', JSON.stringify(ids));
  const rows = await read();
  const missing = ids.filter((_, i) => rows[i] === null);
  if (missing.length === 0) return rows;
  const fetched = await upstream(missing, lock);
  const expires = Date.parse(lock.queryTime) + 60_000 + 360_000; // queryTime, align, ttl: later than any lock on it
  await redis.call('VEHPRICE.MSET', tableOf(lock), 'NX', 'PXAT', expires, 'JSON', JSON.stringify(fetched));
  return read();
}

if (screen === 'map') {
  const lock = await ask('QUOTELOCK.ACQUIRE', user, roleIds, '*', 'ALIGN', 60, 'JSON');
  const ids = ['4711', '4712', '4713'];
  const rows = await prices(lock, ids);
  console.log(`map: ${ids.map((id, i) => `${id} costs ${rows[i].price}`).join(', ')}`);
} else if (screen === 'page') {
  const lock = await ask('QUOTELOCK.ACQUIRE', user, roleIds, '*', 'IFMISSING', 'ALIGN', 60, 'JSON');
  const [row] = await prices(lock, [vehicle]);
  console.log(`page: ${vehicle} costs ${row.price}`);
} else {
  const lock = await ask('QUOTELOCK.GET', user, 'JSON');
  const compared = lock && (await ask('VEHPRICE.VERIFY', tableOf(lock), vehicle, 'price', seen, 'JSON'));
  console.log(`reserve: ${compared ? compared.verdict : 'no lock, ask for a new quote'}`);
}
await redis.quit();
