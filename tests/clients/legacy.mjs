// Keeps locks as the services do today beside the module, on one server and the same keys, and compares.
// REDIS_URL: the server. SEED, COUNT: which random locks, and how many.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import Redis from 'ioredis';
import moment from 'moment';
import { ALIKE, AT, DIFFERENCES, ZONE } from './legacy_differences.mjs';
import * as locks from './legacy_locks.mjs';
import { LockedQuoteInfo, TTL_SECONDS } from './legacy_service.mjs';

process.env.TZ = ZONE; // only times without an offset depend on it
moment.suppressDeprecationWarnings = true;

const seed = Number(process.env.SEED ?? 20240912);
const count = Number(process.env.COUNT ?? 5000);
const redis = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379');
const BATCH = 100;
const SLACK_SECONDS = 30; // more than a batch takes, on a busy machine too
let compared = 0;
let different = 0;

function compare(what, old, module, about) {
  compared += 1;
  try {
    assert.deepEqual(module, old);
  } catch {
    different += 1;
    if (different <= 20) console.error(`${what}:`, { old, module, ...about });
  }
}

// The module's answer, as JSON and as the map of RESP.
async function moduleReads(user, at) {
  const key = LockedQuoteInfo.key(user);
  const instant = at === undefined ? [] : ['AT', at];
  const [json, flat] = await Promise.all([
    redis.call('QUOTELOCK.GET', key, ...instant, 'JSON'),
    redis.call('QUOTELOCK.GET', key, ...instant),
  ]);
  return { json: JSON.parse(json), map: flat && named(flat) };
}

function named(flat) {
  const pairs = Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);
  return Object.fromEntries(pairs);
}

function moduleWrites(user, { roleIds, queryTime }, command = 'QUOTELOCK.SET') {
  return redis.call(command, LockedQuoteInfo.key(user), JSON.stringify(roleIds), queryTime);
}

async function compareReads(what, user, now, about) {
  const old = (await new LockedQuoteInfo(redis, now && (() => moment(now))).getById(user)) ?? null;
  const module = await moduleReads(user, now && new Date(now).toISOString());
  compare(`${what}, JSON`, old, module.json, about);
  compare(`${what}, map`, old, module.map, about);
}

async function stored(user) {
  const key = LockedQuoteInfo.key(user);
  const [bytes, lifetime] = await Promise.all([redis.getBuffer(key), redis.pttl(key)]);
  return { bytes: bytes.toString('latin1'), seconds: lifetime / 1000 };
}

// What the module has stored, against what the old class stores for the same lock.
async function compareStored(user, lock) {
  const module = await stored(user);
  await new LockedQuoteInfo(redis).setById(user, lock);
  const old = await stored(user);
  compare('bytes stored', old.bytes, module.bytes, { lock });
  compare('lifetime', true, Math.abs(old.seconds - module.seconds) < SLACK_SECONDS, { old, module });
}

// One random lock at one given instant: each side reads what the other has written.
async function comparedAtAnInstant({ user, lock, now, spelling, acquire }) {
  const about = { lock, at: new Date(now).toISOString() };
  const key = LockedQuoteInfo.key(user);

  await new LockedQuoteInfo(redis).setById(user, lock);
  await compareReads('old writes', user, now, about);
  await redis.set(key, spelling, 'EX', TTL_SECONDS);
  await compareReads('another program writes', user, now, { ...about, spelling });

  if (acquire) await redis.del(key);
  await moduleWrites(user, lock, acquire ? 'QUOTELOCK.ACQUIRE' : 'QUOTELOCK.SET');
  await compareReads('module writes', user, now, about);
  await compareStored(user, lock);
  await redis.del(key);
}

// By the pod's clock and the server's, which differ by the time between two calls: no age close to the turn.
async function comparedByTheClocks({ user, lock, ageMs }) {
  const key = LockedQuoteInfo.key(user);
  const old = new LockedQuoteInfo(redis);

  await old.setById(user, lock);
  await compareReads('old writes, real clocks', user, undefined, { lock, ageMs });
  const before = await old.getById(user);

  const later = { roleIds: ['later'], queryTime: new Date().toISOString() };
  const { outcome, ...answer } = named(await moduleWrites(user, later, 'QUOTELOCK.ACQUIRE'));
  const held = before.state === 'Effective';
  compare('outcome', held ? 'Held' : 'Refreshed', outcome, { lock, ageMs });
  compare('lock acquired', held ? before : { ...later, state: 'Effective' }, answer, { lock, ageMs });
  compare('lock acquired, old reads', await old.getById(user), answer, { lock, ageMs });

  await redis.del(key);
  const now = { ...lock, queryTime: '*' };
  const { outcome: created, ...atServersClock } = named(await moduleWrites(user, now, 'QUOTELOCK.ACQUIRE'));
  compare('outcome', 'Created', created);
  compare("the server's clock", await old.getById(user), atServersClock);
  await compareStored(user, atServersClock);
  await redis.del(key);
}

async function inBatches(items, run) {
  for (let i = 0; i < items.length; i += BATCH) await Promise.all(items.slice(i, i + BATCH).map(run));
}

function randomLocks() {
  const random = new locks.Random(seed);
  return Array.from({ length: count }, (_, i) => {
    const now = locks.instant(random);
    const lock = { roleIds: locks.roleIds(random), queryTime: locks.written(random, now - locks.age(random)) };
    return { user: `legacy:${i}`, now, lock, spelling: locks.respelled(random, lock), acquire: random.chance(0.5) };
  });
}

const TURN_MS = 301_000;
const CLEAR_MS = SLACK_SECONDS * 1000;

function randomLocksByTheClock() {
  const random = new locks.Random(seed + 1);
  return Array.from({ length: Math.ceil(count / 10) }, (_, i) => {
    let ageMs = locks.age(random);
    if (Math.abs(ageMs - TURN_MS) < CLEAR_MS) ageMs += 2 * CLEAR_MS * random.pick([-1, 1]);
    const lock = { roleIds: locks.roleIds(random), queryTime: '' };
    const start = () => ({ ...lock, queryTime: locks.written(random, Date.now() - ageMs) });
    return { user: `clocks:${i}`, ageMs, start };
  });
}

async function readAlike(value) {
  const user = 'legacy:alike';
  await redis.set(LockedQuoteInfo.key(user), value, 'EX', TTL_SECONDS);
  await compareReads('an odd value', user, AT, { value });
  await redis.del(LockedQuoteInfo.key(user));
}

function same(actual, expected, what) {
  assert.deepEqual(actual, expected, `${what}: ${inspect(actual)}, expected ${inspect(expected)}`);
}

// What is done on purpose in another way, held on both sides.
async function heldDifference({ name, value, old, module, set, given }) {
  const user = 'legacy:difference';
  const key = LockedQuoteInfo.key(user);
  await redis.set(key, value, 'EX', TTL_SECONDS);

  const reads = new LockedQuoteInfo(redis, () => moment(AT)).getById(user);
  if (typeof old === 'string') await assert.rejects(reads, { name: old }, name);
  else same(await reads, old, `${name}, old`);

  const answer = await moduleReads(user, AT);
  same(answer.json, module, `${name}, module, JSON`);
  same(answer.map, module, `${name}, module, map`);
  if (!set) assert.notDeepEqual(old, module, `${name} is no difference`);
  else await assert.rejects(redis.call('QUOTELOCK.SET', key, ...given), { message: set }, `${name}, SET`);
  await redis.del(key);
}

try {
  await inBatches(randomLocks(), comparedAtAnInstant);
  await inBatches(randomLocksByTheClock(), ({ start, ...run }) => comparedByTheClocks({ ...run, lock: start() }));
  for (const value of ALIKE) await readAlike(value);
  let held = 0;
  for (const row of DIFFERENCES) {
    await heldDifference(row).then(
      () => (held += 1),
      (error) => console.error(error.message),
    );
  }
  console.log(`legacy parity: ${compared} compared, ${different} different; ${held} known differences held`);
  process.exitCode = different === 0 && held === DIFFERENCES.length ? 0 : 1;
} finally {
  await redis.quit();
}
