import { Redis } from 'ioredis';
import { type Driver, type Lock, LockedQuoteInfo, type Moment, Outage, PriceTables, type Seen, Timing } from 'quotelock';

const timing = new Timing({ ttlMs: 360_000, alignMs: 60_000, lagMs: 2000 }); // as the server's settings
const fields = ['styleId', 'pricingId'] as const;

type User = { id: string; roleIds: string[] };

// Stands in for the service that computes prices of a queryTime. It knows no vehicle 4799.
async function askUpstream(ids: string[], _lock: Moment, signal: AbortSignal) {
  signal.throwIfAborted();
  return new Map(ids.filter((id) => id !== '4799').map((id) => [id, { styleId: '12', pricingId: '571' }]));
}

class Screens {
  readonly outage = new Outage();
  readonly locks = new LockedQuoteInfo();
  readonly tables: PriceTables;

  constructor(driver: Driver) {
    LockedQuoteInfo.bind(driver);
    this.tables = new PriceTables(driver, { outage: this.outage });
  }

  // The map, and a vehicle's page. `seen` is the queryTime that the app sent back, if it has one.
  async quote({ id, roleIds }: User, ids: string[], seen?: string) {
    const lock = await this.outage.run(
      () => this.locks.acquire(id, roleIds, timing.lockOptions),
      () => timing.unlocked(roleIds, { seen }),
    );
    const ask = (ids: string[], signal: AbortSignal) => askUpstream(ids, lock, signal);
    const filled = await this.tables.getOrFill(this.#table(lock), ids, ask, { fields });
    return { ...filled, queryTime: lock.queryTime };
  }

  // Reserving: at the price that was seen, or not.
  async reserve({ id, roleIds }: User, vehicle: string, seen: Seen) {
    const lock = await this.outage.run(
      () => this.locks.getById(id),
      () => timing.unlocked(roleIds, { seen: seen.queryTime }),
    );
    const ask = (ids: string[], signal: AbortSignal) => askUpstream(ids, lock as Lock, signal);
    return this.tables.reserve(lock, (lock) => this.#table(lock), vehicle, seen, ask, { fields });
  }

  // From now on one pod fills the table of each queryTime before users have it.
  keepWarm(roleIds: string[], ids: string[]) {
    const name = `hermes:prices:${roleIds}`;
    return this.tables.keepWarm(timing, name, async (moment) => {
      const ask = (ids: string[], signal: AbortSignal) => askUpstream(ids, moment, signal);
      await this.tables.getOrFill(this.#table({ ...moment, roleIds }), ids, ask, { fields });
    });
  }

  #table(lock: Moment & { roleIds: string[] }) {
    return timing.table(lock, 'hermes:prices', lock.roleIds);
  }
}

async function main() {
  const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379');
  const screens = new Screens(redis);
  const user = { id: '45', roleIds: ['3', '7'] };
  const warming = screens.keepWarm(user.roleIds, ['4711', '4712']);

  const map = await screens.quote(user, ['4711', '4799']);
  console.log('map:', map.rows, map.filled, map.missing);
  const page = await screens.quote(user, ['4711'], map.queryTime);
  console.log('page:', page.rows, page.hits);
  for (const [queryTime, pricingId] of [
    [map.queryTime, '571'],
    [map.queryTime, '570'],
    [undefined, '571'],
  ] as const) {
    const { verdict, row } = await screens.reserve(user, '4711', { queryTime, row: { pricingId } });
    console.log('reserve:', verdict, row?.['pricingId']);
  }

  // While Redis is down a screen goes on at the queryTime that the app sent back.
  const away = new Redis('redis://127.0.0.1:1').on('error', () => undefined);
  const down = await new Screens(away).quote(user, ['4711'], map.queryTime);
  console.log('down:', down.rows, down.queryTime === map.queryTime, down.unlocked);

  warming.stop();
  away.disconnect();
  await redis.quit();
}

void main();
