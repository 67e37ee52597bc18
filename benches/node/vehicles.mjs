// Ways to get many vehicles as JavaScript objects, in turn, round after round: node vehicles.mjs PORT ROUNDS
// Says what each took, in ms a round, as JSON. The vehicles are in the server already.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const typescript = new URL('../../clients/typescript/', import.meta.url);
const { VehPrice } = await import(new URL('dist/src/index.js', typescript));
const { Redis } = createRequire(new URL('package.json', typescript))('ioredis');

/** How often a way is run in a round; the median counts. */
const RUNS = 3;

const [port, rounds] = process.argv.slice(2).map(Number);
const redis = new Redis({ port });
const table = new VehPrice(redis);
const ids = await redis.hkeys('hash');

const ways = {
  'pipeline of HGETALL': async () => {
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.hgetall(`hermes:scooters:styleAndPrice:${id}`);
    return (await pipeline.exec()).map(([error, row]) => {
      if (error) throw error;
      return row;
    });
  },
  'MGET of JSON, JSON.parse of each': async () => {
    const rows = await redis.mget(ids.map((id) => `json:hermes:scooters:styleAndPrice:${id}`));
    return rows.map((row) => JSON.parse(row));
  },
  'HMGET of one hash, JSON.parse of each': async () => (await redis.hmget('hash', ids)).map((row) => JSON.parse(row)),
  'VEHPRICE.MGET as maps': async () => {
    const rows = await redis.call('VEHPRICE.MGET', ['table', ...ids]);
    return rows.map(([style, styleId, pricing, pricingId]) => ({ [style]: styleId, [pricing]: pricingId }));
  },
  'VEHPRICE.MGET JSON, JSON.parse': async () =>
    JSON.parse(await redis.call('VEHPRICE.MGET', ['table', 'JSON', 'IDS', ...ids])),
  'VehPrice.mget of clients/typescript': () => table.mget('table', ids),
};

const median = (figures) => [...figures].sort((a, b) => a - b)[figures.length >> 1];

const [first, ...others] = await Promise.all(Object.values(ways).map((way) => way()));
for (const rows of others) assert.deepEqual(rows, first);

const told = Object.entries(ways).map(([name, way]) => ({ name, way, times: [] }));
// The first round only warms the compiler up.
for (let round = 0; round <= rounds; round += 1) {
  for (const { way, times } of told) {
    const runs = [];
    for (let run = 0; run < RUNS; run += 1) {
      const start = performance.now();
      await way();
      runs.push(performance.now() - start);
    }
    if (round > 0) times.push(median(runs));
  }
  told.reverse(); // forth and back, so that none is always the first
}
if (rounds % 2 === 0) told.reverse();
console.log(JSON.stringify(told.map(({ name, times }) => ({ name, times }))));
redis.disconnect();
