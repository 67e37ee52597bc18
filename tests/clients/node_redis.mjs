import { createClient } from 'redis';

const redis = await createClient({ url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' }).connect();
const user = 'hermes:LockedQuoteInfo:42';

async function ask(command, ...args) {
  return JSON.parse(await redis.sendCommand([command, user, ...args, 'JSON'])); // null: no lock
}
function print(screen, { roleIds, queryTime, state, outcome = '-' }) {
  console.log(screen, roleIds.join(','), queryTime, state, outcome);
}

// The map starts a lock or shares the one in force; a vehicle's page does not renew it; reserving only reads.
const roleIds = JSON.stringify(['3', '7']);
print('map', await ask('QUOTELOCK.ACQUIRE', roleIds, '*'));
print('page', await ask('QUOTELOCK.ACQUIRE', roleIds, '*', 'IFMISSING'));
print('reserve', await ask('QUOTELOCK.GET'));
await redis.close();
