// Gets many vehicles as JavaScript objects: node vehicles.mjs PORT CASE
// Prints a digest of them, which is the same for each case. Then runs a round for each line of input,
// and prints its time and this process's CPU time in ms. The server has the vehicles already.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const typescript = new URL('../../clients/typescript/', import.meta.url);
const { VehPrice } = await import(new URL('dist/src/index.js', typescript));
const { Redis } = createRequire(new URL('package.json', typescript))('ioredis');

/** How often a case runs in a round. Their mean counts, to include garbage collection. */
const RUNS = 5;

const [port, name] = process.argv.slice(2);
const redis = new Redis({ port: Number(port) });
const table = new VehPrice(redis);
const ids = (await redis.hkeys('hash')).sort(); // the same order in each process

const cases = {
  'pipeline of HGETALL': async () => {
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.hgetall(`hermes:scooters:styleAndPrice:${id}`);
    return (await pipeline.exec()).map(([error, row]) => {
      if (error) throw error;
      return row;
    });
  },
  'MGET of JSON, JSON.parse of each': async () => {
    const rows = await redis.mget(ids.map((id) => `json:${id}`));
    return rows.map((row) => JSON.parse(row));
  },
  'HMGET of one hash, JSON.parse of each': async () => (await redis.hmget('hash', ids)).map((row) => JSON.parse(row)),
  'VEHPRICE.MGET as maps': async () => {
    const rows = await redis.call('VEHPRICE.MGET', ['table', ...ids]);
    return rows.map(([style, styleId, pricing, pricingId]) => ({ [style]: styleId, [pricing]: pricingId }));
  },
  'VEHPRICE.MGET JSON, JSON.parse': async () => JSON.parse(await redis.call('VEHPRICE.MGET', ['table', 'JSON', 'IDS', ...ids])),
  'VehPrice.mget of clients/typescript': () => table.mget('table', ids),
};

const run = cases[name];
const print = (what) => console.log(JSON.stringify(what));
print(
  createHash('sha256')
    .update(JSON.stringify(await run()))
    .digest('hex'),
);
for await (const _ of createInterface({ input: process.stdin })) {
  const [start, before] = [performance.now(), process.cpuUsage()];
  for (let count = 0; count < RUNS; count += 1) await run();
  const { user, system } = process.cpuUsage(before);
  print([(performance.now() - start) / RUNS, (user + system) / 1000 / RUNS]);
}
redis.disconnect();
