// Locks through ioredis and Sentinel: sentinel_load.mjs port,port,…  See tests/it/reliability/sentinel.rs.
// Makes new locks and asks for old ones until a line comes; then asks for all of them, and says which have another moment now.
import { createInterface } from 'node:readline';
import Redis from 'ioredis';

const sentinels = process.argv[2].split(',').map((port) => ({ host: '127.0.0.1', port: Number(port) }));
const redis = new Redis({ sentinels, name: 'hermes', failoverDetector: true, maxRetriesPerRequest: null });
redis.on('error', () => {}); // The primary is gone: ioredis asks the sentinels for the next one.
// Told of a failover while it connects, the detector has ioredis give up; commands would fail for ever.
redis.on('end', () => redis.connect().catch(() => {}));

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const WORKERS = 4;
let [users, asked, gap, answered] = [0, 0, 0, Date.now()];
let locks = new Map(); // By user: the moment, when it was answered, and whether both replicas had it then.
let second = [];

async function acquire(user, wait = false) {
  for (;;) {
    try {
      const calls = redis.pipeline().call('QUOTELOCK.ACQUIRE', user, '3,7', '*', 'JSON');
      if (wait) calls.wait(2, 1000);
      const [[error, lock], [waitError, replicas] = []] = await calls.exec();
      if (error ?? waitError) throw error ?? waitError;
      gap = Math.max(gap, Date.now() - answered);
      answered = Date.now();
      asked += 1;
      return { moment: JSON.parse(lock).queryTime, at: answered, waited: replicas === 2 };
    } catch (error) {
      if (error.message.startsWith('ERR')) throw error;
      await sleep(20); // READONLY or LOADING, until the next one is found.
    }
  }
}

function compare(user, before, { moment }) {
  if (moment === before.moment) return;
  second.push(before);
  locks.set(user, { ...before, moment });
}

async function work() {
  while (!paused) {
    if (Math.random() < 0.5 || locks.size === 0) {
      users += 1;
      const user = `user:${users}`;
      locks.set(user, await acquire(user, Math.random() < 0.1));
    } else {
      const user = `user:${users - Math.floor(Math.random() * Math.min(100, locks.size))}`;
      const before = locks.get(user);
      if (before) compare(user, before, await acquire(user));
    }
  }
}

let paused = false;
let workers = Array.from({ length: WORKERS }, work);
for await (const _line of createInterface({ input: process.stdin })) {
  paused = true;
  await Promise.all(workers);
  for (const [user, before] of locks) compare(user, before, await acquire(user));
  console.log(JSON.stringify({ made: locks.size, asked, gap, second }));
  [locks, second, asked, gap, answered, paused] = [new Map(), [], 0, 0, Date.now(), false];
  workers = Array.from({ length: WORKERS }, work);
}
process.exit();
