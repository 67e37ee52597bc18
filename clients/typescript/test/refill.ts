import { Redis } from 'ioredis';
import { VehPrice } from 'quotelock';

type Pod = { prices: VehPrice; waiting: VehPrice };
type Ask = (ids: string[]) => Promise<Map<string, { price: string }>>;

// The rows of these ids. What is missing one pod asks upstream, a row for each id, and the others wait for it.
async function rowsOf({ prices, waiting }: Pod, table: string, ids: string[], askUpstream: Ask) {
  for (;;) {
    const { token, rows, claimed, pending } = await prices.claim(table, ids, { ttlMs: 5000, fields: ['price'] });
    if (token) {
      try {
        await prices.mset(table, ['price'], await askUpstream(claimed), { token });
      } finally {
        await prices.release(table, token); // where upstream has failed, so that another pod can ask
      }
    } else if (pending.length) await waiting.mget(table, pending, { fields: ['price'], blockMs: 5000 });
    else return rows;
  }
}

async function main() {
  const connections: Redis[] = [];
  const connect = () => {
    const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379');
    connections.push(redis);
    return new VehPrice(redis);
  };
  // A client that waits holds up its connection, so each pod has another one for that.
  const pods = Array.from({ length: 10 }, (): Pod => ({ prices: connect(), waiting: connect() }));
  const ids = Array.from({ length: 1000 }, (_, id) => `${id}`);
  let asked = 0;
  const askUpstream: Ask = async (ids) => {
    asked += ids.length;
    return new Map(ids.map((id) => [id, { price: `${id}.50` }]));
  };
  const seen = await Promise.all(pods.map((pod) => rowsOf(pod, 'hermes:prices:{1}:3', ids, askUpstream)));
  console.log(`${seen.length} pods have ${seen[0]?.length} rows each, ${asked} were asked upstream`);
  await Promise.all(connections.map((redis) => redis.quit()));
}

void main();
