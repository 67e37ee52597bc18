// A lock and its prices with Valkey GLIDE: on one server, or by REDIS_MODE in a Cluster. It does not support Sentinel.
import { GlideClient, GlideClusterClient, ProtocolVersion } from '@valkey/valkey-glide';

const { REDIS_URL = 'redis://127.0.0.1:6379', REDIS_MODE, RESP = '3' } = process.env;
const { hostname: host, port, username, password } = new URL(REDIS_URL);
const blockMs = 5000;

function connect(requestTimeout) {
  const Client = REDIS_MODE === 'cluster' ? GlideClusterClient : GlideClient;
  return Client.createClient({
    addresses: [{ host, port: Number(port) }],
    credentials: password ? { username, password } : undefined,
    protocol: RESP === '2' ? ProtocolVersion.RESP2 : ProtocolVersion.RESP3,
    requestTimeout,
  });
}

// No call may take longer than the requestTimeout, 250 ms by default: one that waits has a connection of its own, with a longer one.
const [redis, waiting] = await Promise.all([connect(2000), connect(blockMs + 1000)]);

const call = (client, ...words) => client.customCommand(words.map(String));

// The rows of these vehicles under a lock. The pod that claims a missing row fetches it; the others wait.
async function prices({ queryTime, roleIds }, ids) {
  const table = `hermes:prices:{${queryTime}}:${[...roleIds].sort()}`;
  const expires = Date.parse(queryTime) + 60_000 + 360_000; // align and ttl: when the last lock with this queryTime expires
  for (let tries = 5; tries > 0; tries -= 1) {
    const claim = await call(redis, 'VEHPRICE.CLAIM', table, 'PX', 5000, 'JSON', 'LIST', JSON.stringify(ids));
    const { token, claimed, pending, rows } = JSON.parse(claim);
    if (token) {
      const fetched = JSON.stringify(upstream(claimed));
      await call(redis, 'VEHPRICE.MSET', table, 'TOKEN', token, 'PXAT', expires, 'JSON', fetched);
    } else if (pending.length) {
      await call(waiting, 'VEHPRICE.MGET', table, 'JSON', 'BLOCK', blockMs, 'LIST', JSON.stringify(pending));
    } else {
      return { table, rows };
    }
  }
  throw new Error('no prices');
}

// Stands in for the service that computes prices.
function upstream(ids) {
  console.log('asked', ids.join());
  return Object.fromEntries(ids.map((id) => [id, { pricingId: '571' }]));
}

try {
  // The map creates the lock or shares the one in force, and shows prices under it.
  const user = `hermes:LockedQuoteInfo:${process.argv[2] ?? 42}`;
  const lock = JSON.parse(await call(redis, 'QUOTELOCK.ACQUIRE', user, '["3","7"]', '*', 'ALIGN', 60, 'JSON'));
  const { table, rows } = await prices(lock, ['4711', '4712']);
  console.log('map', lock.roleIds.join(), rows.map((row) => row.pricingId).join());

  // Reserving only reads, and compares the price with the one that the user saw.
  const held = await call(redis, 'QUOTELOCK.GET', user);
  const seen = rows[0].pricingId;
  const { verdict } = JSON.parse(await call(redis, 'VEHPRICE.VERIFY', table, '4711', 'pricingId', seen, 'JSON'));
  // In RESP3 a map is a list of { key, value }.
  console.log('reserve', verdict, 'lock as', held[0].key ? 'map' : 'list');
} finally {
  redis.close();
  waiting.close();
}
