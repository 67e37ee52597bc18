// Load on a Cluster through ioredis: cluster_load.mjs host:port,… name tag,…  See tests/it/reliability/cluster_load.rs.
import { createInterface } from 'node:readline';
import { Cluster, Command } from 'ioredis';

const [nodes, name, tags] = process.argv.slice(2);
const startup = nodes.split(',').map((node) => `redis://${node}`);
const cluster = new Cluster(startup, { redisOptions: { commandTimeout: 5000 } });
cluster.on('error', () => {}); // A node that is gone: the commands on their way to it fail, and are sent again.

const keys = tags.split(',').flatMap((tag) => [`user:{${tag}}:${name}`, `prices:{${tag}}:${name}`]);
const ids = ['1', '2', '3', '4', '5'];
const held = new Map(keys.map((key) => [key, ['nil']])); // What each key has held since the last pause, the newest last.
let [writes, behind, wrong] = [0, 0, []];

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function send(name, key, ...args) {
  for (;;) {
    const command = new Command(name, [key, ...args], { replyEncoding: 'utf8' });
    command.getKeys = () => [key];
    try {
      return await cluster.sendCommand(command);
    } catch (error) {
      if (error.message.startsWith('ERR')) throw error;
      await sleep(20);
    }
  }
}

async function write(key) {
  writes += 1;
  const value = String(writes);
  const time = new Date(1_577_836_800_000 + writes * 1000).toISOString();
  const isLock = key.startsWith('user:');
  if (Math.random() < 0.1) {
    await (isLock ? send('QUOTELOCK.DEL', key) : send('VEHPRICE.DEL', key, ...ids));
    held.get(key).push('nil');
    return;
  }
  if (isLock) await send(Math.random() < 0.5 ? 'QUOTELOCK.SET' : 'QUOTELOCK.ACQUIRE', key, value, time);
  else await send('VEHPRICE.MSET', key, 'FIELDS', '1', 'price', 'ROWS', ...ids.flatMap((id) => [id, value]));
  held.get(key).push(value);
}

async function found(key) {
  if (key.startsWith('user:')) return JSON.parse(await send('QUOTELOCK.GET', key, 'JSON'))?.roleIds[0] ?? 'nil';
  const rows = JSON.parse(await send('VEHPRICE.MGET', key, 'JSON', 'IDS', ...ids));
  return [...new Set(rows.map((row) => row?.price ?? 'nil'))].join();
}

async function read(key) {
  const [value, states] = [await found(key), held.get(key)];
  const at = states.lastIndexOf(value);
  if (at < 0) wrong.push(`${key} holds ${value}, not ${states.at(-1)}`);
  else behind += states.splice(at + 1).length;
}

let paused = true;
await cluster.ping();
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'go') {
    paused = false;
    load();
  } else paused = true;
}

async function load() {
  while (!paused) {
    const key = keys[Math.floor(Math.random() * keys.length)];
    await (Math.random() < 0.5 ? write(key) : read(key));
  }
  for (const key of keys) {
    await read(key);
    held.set(key, held.get(key).slice(-1));
  }
  console.log(JSON.stringify({ writes, behind, wrong }));
  [behind, wrong] = [0, []];
}
process.exit();
