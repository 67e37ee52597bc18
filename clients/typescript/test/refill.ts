import { Redis } from 'ioredis';
import { type Lock, LockedQuoteInfo, VehPrice } from 'quotelock';

type Pod = { prices: VehPrice; waiting: VehPrice };
type Ask = (ids: string[], lock: Lock) => Promise<Map<string, { price: string }>>;

const [alignMs, lagMs, ttlMs] = [60_000, 2000, 360_000]; // as for all locks; ttlMs is the setting

// The rows of these ids under a lock, null where three tries brought none. One pod fetches from upstream, the others wait.
export async function rowsOf({ prices, waiting }: Pod, lock: Lock, ids: string[], askUpstream: Ask) {
  const table = `hermes:prices:{${lock.queryTime}}:${[...lock.roleIds].sort()}`;
  const expiry = { at: Date.parse(lock.queryTime) + alignMs + lagMs + ttlMs }; // when the last lock on it ends
  for (let tries = 3; tries > 0; tries -= 1) {
    const { token, rows, claimed, pending } = await prices.claim(table, ids, { ttlMs: 5000, fields: ['price'] });
    if (token) {
      try {
        await prices.mset(table, ['price'], await askUpstream(claimed, lock), { token, expiry });
      } finally {
        await prices.release(table, token); // where upstream has failed, so that another pod can ask
      }
    } else if (pending.length) await waiting.mget(table, pending, { fields: ['price'], blockMs: 5000 });
    else return rows;
  }
  return prices.mget(table, ids, { fields: ['price'] });
}

async function main() {
  const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379');
  LockedQuoteInfo.bind(redis);
  const lock = await new LockedQuoteInfo().acquire('44', ['3'], { alignSeconds: alignMs / 1000, lagMs });
  // A waiting client holds up its connection, so waiting has connections of its own: in a service, as many as wait at once.
  const connections = Array.from({ length: 10 }, () => [redis.duplicate(), redis.duplicate()] as const);
  const pods = connections.map(([one, two]): Pod => ({ prices: new VehPrice(one), waiting: new VehPrice(two) }));
  const ids = Array.from({ length: 1000 }, (_, id) => `${id}`);
  let asked = 0;
  const askUpstream: Ask = async (ids) => {
    asked += ids.length;
    return new Map(ids.map((id) => [id, { price: `${id}.50` }]));
  };
  const seen = await Promise.all(pods.map((pod) => rowsOf(pod, lock, ids, askUpstream)));
  console.log(`${seen.length} pods read ${seen[0]?.length} rows each; ${asked} rows were fetched from upstream`);
  await Promise.all([redis, ...connections.flat()].map((redis) => redis.quit()));
}

void main();
