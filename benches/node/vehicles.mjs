// Reads many vehicles as JavaScript objects, or writes them: node vehicles.mjs PORT CASE
// Prints a digest of the vehicles, which is the same for each case. Then runs a round for each line of input,
// and prints its time and this process's CPU time in ms. The server has the vehicles already.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const typescript = new URL('../../clients/typescript/', import.meta.url);
const { PriceTableCopies, VehPrice } = await import(new URL('dist/src/index.js', typescript));
const { Redis } = createRequire(new URL('package.json', typescript))('ioredis');

/** How often a case runs in a round. Their mean counts, to include garbage collection. */
const RUNS = 5;

const TTL_S = 3600;
const FIELDS = ['styleId', 'pricingId'];

const [port, name] = process.argv.slice(2);
const redis = new Redis({ port: Number(port) });
const table = new VehPrice(redis);
const copy = (options) => new PriceTableCopies(redis, { maxBytes: 1 << 26, ...options }).of('table');
const [exact, final] = [copy({}), copy({ final: true })];
const ids = (await redis.hkeys('hash')).sort(); // the same order in each process
const rows = (await table.mget('table', ids)).map((row, place) => [ids[place], row]);

const whole = (replies) =>
  replies.map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
const readHashes = async (prefix) => {
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hgetall(prefix + id);
  return whole(await pipeline.exec());
};
const readOneHash = async (key) => (await redis.hmget(key, ids)).map((row) => JSON.parse(row));

const reads = {
  'pipeline of HGETALL': () => readHashes('hermes:scooters:styleAndPrice:'),
  'MGET of JSON, JSON.parse of each': async () => {
    const replies = await redis.mget(ids.map((id) => `json:${id}`));
    return replies.map((row) => JSON.parse(row));
  },
  'HMGET of one hash, JSON.parse of each': () => readOneHash('hash'),
  'VEHPRICE.MGET as maps': async () => {
    const replies = await redis.call('VEHPRICE.MGET', ['table', ...ids]);
    return replies.map(([style, styleId, pricing, pricingId]) => ({ [style]: styleId, [pricing]: pricingId }));
  },
  'VEHPRICE.MGET JSON IDS, JSON.parse': async () =>
    JSON.parse(await redis.call('VEHPRICE.MGET', ['table', 'JSON', 'IDS', ...ids])),
  'VehPrice.mget, all fields': () => table.mget('table', ids),
  'VehPrice.mget, two fields': () => table.mget('table', ids, { fields: FIELDS }),
  'PriceTableCopy, rows': () => exact.rows(ids),
  'PriceTableCopy, rows, final': () => final.rows(ids),
};

const writes = {
  'pipeline of HSET + EXPIRE': {
    run: async () => {
      const pipeline = redis.pipeline();
      for (const [id, row] of rows) pipeline.hset(`written:${id}`, row).expire(`written:${id}`, TTL_S);
      whole(await pipeline.exec());
    },
    read: () => readHashes('written:'),
  },
  'HSET of one hash, JSON.stringify of each': {
    run: () =>
      redis.hset(
        'written',
        rows.flatMap(([id, row]) => [id, JSON.stringify(row)]),
      ),
    read: () => readOneHash('written'),
  },
  'VEHPRICE.MSET ROWS': {
    run: () => {
      const values = rows.flatMap(([id, { styleId, pricingId }]) => [id, styleId, pricingId]);
      return redis.call('VEHPRICE.MSET', ['writtenRows', 'EX', TTL_S, 'FIELDS', 2, ...FIELDS, 'ROWS', ...values]);
    },
    read: () => table.mget('writtenRows', ids),
  },
  'VehPrice.mset': {
    run: () => table.mset('writtenColumns', FIELDS, rows, { expiry: { inMs: TTL_S * 1000 } }),
    read: () => table.mget('writtenColumns', ids),
  },
};

// All rows at once: a map, of which the digest is taken in the order of the ids.
const maps = {
  'PriceTableCopy, all': {
    run: () => exact.all(),
    read: async () => {
      const all = await exact.all();
      return ids.map((id) => all.get(id));
    },
  },
};

const { run, read } = { ...writes, ...maps }[name] ?? { run: reads[name], read: reads[name] };
const print = (what) => console.log(JSON.stringify(what));
await run();
print(
  createHash('sha256')
    .update(JSON.stringify(await read()))
    .digest('hex'),
);
for await (const _ of createInterface({ input: process.stdin })) {
  const [start, before] = [performance.now(), process.cpuUsage()];
  for (let count = 0; count < RUNS; count += 1) await run();
  const { user, system } = process.cpuUsage(before);
  print([(performance.now() - start) / RUNS, (user + system) / 1000 / RUNS]);
}
redis.disconnect();
