// A lock and its prices with node-redis: on one server, or by REDIS_MODE in a Cluster or with Sentinel.
import { createClient, createCluster, createSentinel } from 'redis';

const { REDIS_URL: url = 'redis://127.0.0.1:6379', REDIS_MODE } = process.env;
const RESP = Number(process.env.RESP ?? 2);
const { hostname: host, port, username, password } = new URL(url);
const blockMs = 5000;

// A socketTimeout closes an idle connection for good: pings keep it open.
// Without a listener, a connection error ends the process.
function connect(socketTimeout) {
  const node = { username, password, pingInterval: socketTimeout / 2, socket: { socketTimeout } };
  const sentinelRootNodes = [{ host, port: Number(port) }];
  const client =
    REDIS_MODE === 'cluster'
      ? createCluster({ rootNodes: [{ url }], defaults: node, RESP })
      : REDIS_MODE === 'sentinel'
        ? createSentinel({ name: 'hermes', sentinelRootNodes, nodeClientOptions: node, RESP })
        : createClient({ ...node, url, RESP });
  return client.on('error', console.error).connect();
}

// A Cluster needs the key and, like Sentinel, whether a replica may answer.
function call(client, ...args) {
  const words = args.map(String);
  if (REDIS_MODE === 'cluster') return client.sendCommand(words[1], false, words);
  return REDIS_MODE === 'sentinel' ? client.sendCommand(false, words) : client.sendCommand(words);
}

// A call that waits blocks its connection for up to BLOCK: it has one of its own, with a longer time-out.
const [redis, waiting] = await Promise.all([connect(2000), connect(blockMs + 1000)]);

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
  console.log('reserve', verdict, 'lock as', Array.isArray(held) ? 'list' : 'map');
} finally {
  redis.destroy();
  waiting.destroy();
}
