import Redis from 'ioredis';

const pods = Array.from({ length: 10 }, () => new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'));

// The rows of these ids; what is missing is asked upstream by one pod, and the others wait for it.
async function prices(redis, table, ids, askUpstream) {
  for (;;) {
    const claim = await redis.call('VEHPRICE.CLAIM', table, 'PX', 5000, 'JSON', 'IDS', ...ids);
    const { token, rows, claimed, pending } = JSON.parse(claim);
    if (claimed.length) {
      const asked = await askUpstream(claimed); // [[id, price], …], for each id claimed
      await redis.call('VEHPRICE.MSET', table, 'TOKEN', token, 'FIELDS', 1, 'price', 'ROWS', ...asked.flat());
    } else if (pending.length) {
      await redis.call('VEHPRICE.MGET', table, 'JSON', 'BLOCK', 5000, 'IDS', ...pending);
    } else return rows;
  }
}

const ids = Array.from({ length: 1000 }, (_, id) => `${id}`);
let asked = 0;
const askUpstream = async (ids) => ((asked += ids.length), ids.map((id) => [id, `${id}.50`]));
const seen = await Promise.all(pods.map((redis) => prices(redis, 'hermes:prices:{1}:3', ids, askUpstream)));
console.log(`${seen.length} pods have ${seen[0].length} rows each, ${asked} were asked upstream`);
await Promise.all(pods.map((redis) => redis.quit()));
