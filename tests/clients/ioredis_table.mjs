import Redis from 'ioredis';

const redis = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379');
const [align, ttlMs, lagMs] = [60, 360_000, 0]; // as in ACQUIRE and the settings

// The prices of these vehicles under a lock: what is in its table; the rest is fetched from upstream.
async function prices({ queryTime, roleIds }, ids, askUpstream) {
  const table = `hermes:prices:{${queryTime}}:${[...roleIds].sort()}`;
  const read = async () => JSON.parse(await redis.call('VEHPRICE.MGET', table, 'JSON', 'LIST', JSON.stringify(ids)));
  let rows = await read();
  const missing = ids.filter((_, i) => rows[i] === null);
  if (missing.length) {
    const fetched = await askUpstream(missing, queryTime, roleIds); // { 4711: { styleId, pricingId }, … }
    const expires = Date.parse(queryTime) + align * 1000 + lagMs + ttlMs;
    await redis.call('VEHPRICE.MSET', table, 'NX', 'PXAT', expires, 'JSON', JSON.stringify(fetched));
    rows = await read(); // if several pods filled a row, the first one's stays: show that
  }
  return rows;
}

// Stands in for the service that computes prices. It knows no vehicle 4799.
async function upstream(missing) {
  console.log('asked', missing.join(','));
  const known = missing.filter((id) => id !== '4799');
  return Object.fromEntries(known.map((id) => [id, { styleId: '12', pricingId: '571' }]));
}

const user = 'hermes:LockedQuoteInfo:42';
const roleIds = JSON.stringify(['3', '7']);
const lock = JSON.parse(await redis.call('QUOTELOCK.ACQUIRE', user, roleIds, '*', 'ALIGN', align, 'JSON'));
console.log('map', JSON.stringify(await prices(lock, ['4711', '4712', '4799'], upstream)));
console.log('page', JSON.stringify(await prices(lock, ['4711'], upstream)));
await redis.quit();
