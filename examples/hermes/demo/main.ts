/** Redis with the module, VS and PS, and pods behind one port with a page, until Ctrl-C. */
import type { TimingOptions } from 'quotelock';

import { startPods, startUpstream } from '../launch/pods.js';
import { startRedis } from '../launch/redis.js';
import { Stage } from '../launch/stage.js';
import { connect } from '../store/connect.js';
import { frontOf } from './front.js';

/** At times upstream shows a change this late, like one that answers from a replica. */
const MAX_COMMIT_MS = 1000;
const timing: Required<TimingOptions> = { ttlMs: 60_000, bufferMs: 20_000, lagMs: 1.5 * MAX_COMMIT_MS, alignMs: 5000 };
const TAGS_MS = 20_000;
/** Pods without quotelock use a database of their own, as both have the same users. */
const TODAY_DB = 1;

function setting(name: string, usual: number, least: number, most: number): number {
  const value = Number(process.env[name] ?? usual);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  console.error(`${name} takes a whole number from ${least} to ${most}`);
  process.exit(2);
}

const port = setting('PORT', 8080, 1, 65_535);
const host = process.env['HOST'] ?? '127.0.0.1';
const count = setting('PODS', 10, 1, 50);
const vehicles = setting('VEHICLES', 8000, 200, 100_000);
// 0: pods have no copies of tables.
const copyMegabytes = setting('COPY_MB', 64, 0, 1024);
// One pricing must not change twice within the longest commit.
const changes = setting('CHANGES', 12, 1, 20);
// Without quotelock, `queryTime` comes from the pod's clock.
const clocksApartMs = setting('CLOCKS_MS', 0, 0, 60_000);

const stage = new Stage();
let stopping = false;
async function stop(status: number): Promise<never> {
  if (!stopping) console.log('Stopping Redis, upstream and pods');
  stopping = true;
  await stage.stop();
  process.exit(status);
}
process.on('SIGINT', () => void stop(0));
process.on('SIGTERM', () => void stop(143));
process.on('SIGHUP', () => void stop(129));

try {
  const redis = await startRedis(stage, timing);
  const book = {
    seed: 1,
    vehicles,
    priceChangesPerSecond: changes,
    tagChangesPerSecond: vehicles / 200,
    maxCommitMs: MAX_COMMIT_MS,
  };
  const usual = { delayMs: 20, slowShare: 0.03, slowMs: 400, failShare: 0.02 };
  const upstream = await startUpstream(stage, book, usual);
  const redisAt = { port: redis.port };
  const pods = await startPods(stage, count, clocksApartMs, {
    redis: redisAt,
    upstream: upstream.address,
    vehicles,
    rentFlow: '3',
    timing,
    keepWarm: false,
    copyBytes: copyMegabytes * 1024 * 1024,
    tagsMs: TAGS_MS,
    todayDb: TODAY_DB,
  });
  const front = await frontOf({
    pods,
    upstream,
    faults: { usual, slow: { ...usual, delayMs: 400 } },
    databases: { quotelock: connect(redisAt), today: connect(redisAt, { db: TODAY_DB }) },
    facts: { priceChangesPerSecond: changes, maxCommitMs: MAX_COMMIT_MS, lagMs: timing.lagMs },
  });
  await front.listen({ port, host });
  console.log(`
  The page:  http://${host}:${port}/
  Redis:     redis-cli -p ${redis.port}
  Upstream:  VS and PS at ${upstream.address} (gRPC), ${changes} price changes a second
  Pods:      ${count}, behind the page's port under /api/
  Logs:      ${stage.directory}

It runs until you press Ctrl-C.`);
} catch (error) {
  if (!stopping) {
    const taken = (error as { code?: string }).code === 'EADDRINUSE';
    console.error(taken ? `Port ${port} is taken. Take another one: PORT=${port + 1} make demo` : error);
    await stop(1);
  }
}
