// Ways to get many vehicles as JavaScript objects, in turn, round after round: node vehicles.mjs PORT ROUNDS
// Says what each took, in ms a round, and in ms of this process's CPU, as JSON. The vehicles are in the server already. Wants --expose-gc.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const typescript = new URL('../../clients/typescript/', import.meta.url);
const { VehPrice } = await import(new URL('dist/src/index.js', typescript));
const { Redis } = createRequire(new URL('package.json', typescript))('ioredis');

/** How often a way is run in a round, one after the other; the mean counts, so that its own garbage does too. */
const RUNS = 5;

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
    const rows = await redis.mget(ids.map((id) => `json:${id}`));
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

const [first, ...others] = await Promise.all(Object.values(ways).map((way) => way()));
for (const rows of others) assert.deepEqual(rows, first);

const told = Object.entries(ways).map(([name, way]) => ({ name, way, wall: [], cpu: [] }));
// The first round only warms the compiler up.
for (let round = 0; round <= rounds; round += 1) {
  for (const { way, wall, cpu } of told) {
    global.gc(); // what the last way left is not this one's
    const [start, before] = [performance.now(), process.cpuUsage()];
    for (let run = 0; run < RUNS; run += 1) await way();
    const { user, system } = process.cpuUsage(before);
    if (round === 0) continue;
    wall.push((performance.now() - start) / RUNS);
    cpu.push((user + system) / 1000 / RUNS);
  }
  told.reverse(); // forth and back, so that none is always the first
}
if (rounds % 2 === 0) told.reverse();
console.log(JSON.stringify(told.map(({ name, wall, cpu }) => ({ name, wall, cpu }))));
redis.disconnect();
