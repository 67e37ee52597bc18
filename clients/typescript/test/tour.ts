import { Redis } from 'ioredis';
import { LockedQuoteInfo, PricePlan, ServerError, VehPrice } from 'quotelock';

const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379');
LockedQuoteInfo.bind(redis);
const locks = new LockedQuoteInfo();
const prices = new VehPrice(redis);
const plans = new PricePlan(redis, 'hermes:pricingReleaseToggle');
const fields = ['styleId', 'pricingId'] as const;

async function tour() {
  // The map starts the user's lock, or shares the one in force.
  const lock = await locks.acquire('42', ['3', '7'], { alignSeconds: 60 });
  console.log('map:', lock.roleIds, lock.state, lock.outcome);

  // Prices of that queryTime and these roles are in one table, and outlive every lock on it. The first pod's rows stand.
  const table = `hermes:prices:{${lock.queryTime}}:${[...lock.roleIds].sort()}`;
  const expiry = { at: Date.parse(lock.queryTime) + 60_000 + 360_000 };
  const asked = new Map([['4711', { styleId: '12', pricingId: '571' }]]);
  await prices.mset(table, fields, asked, { condition: 'NX', expiry });
  const [row, none] = await prices.mget(table, ['4711', '4799'], { fields });
  console.log('map:', row?.pricingId, none);

  // A plan's id is sent with the tag of old pricing, until a toggle says otherwise.
  const [planId = ''] = await plans.tag(['571']);
  console.log('map:', planId);

  // Reserving only reads the lock, and compares the price with what the user saw.
  console.log('reserve:', (await locks.getById('42'))?.state, await locks.getById('43'));
  const { verdict } = await prices.verify(table, '4711', { pricingId: '571' });
  console.log('reserve:', verdict, await plans.route([planId]));

  // What the server refuses says why.
  try {
    await locks.acquire('42', ['']);
  } catch (error) {
    if (error instanceof ServerError) console.log(error.reason, '-', error.message);
  }
}

void tour().finally(() => redis.quit());
