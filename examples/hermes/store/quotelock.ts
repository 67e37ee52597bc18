import type { Redis } from 'ioredis';
import { LockedQuoteInfo, PricePlan, VehPrice } from 'quotelock';

import type { PlanRule } from '../upstream/book.js';
import { RedisRents } from './rents.js';
import type { Locks, Plans, Routed, RulesQuestion, Store, Table, Tags, TagsQuestion } from './store.js';
import type { Timing } from './timing.js';

const TOGGLE = 'hermes:pricingReleaseToggle';
const PLAN = 'plan:';

/** Locks, tables and the toggle in the module. No pod's clock counts for any of them. */
export class QuotelockStore implements Store {
  readonly locks: Locks;
  readonly plans: Plans;
  readonly rents: RedisRents;
  readonly #tables: VehPrice;

  constructor(
    redis: Redis,
    readonly timing: Timing,
  ) {
    const quotes = new LockedQuoteInfo(redis);
    const plans = new PricePlan(redis);
    const { lagMs, alignSeconds } = timing;
    this.locks = {
      get: (user) => quotes.getById(user),
      acquire: (user, roleIds, { ifMissing }) => quotes.acquire(user, roleIds, { ifMissing, lagMs, alignSeconds }),
    };
    this.plans = {
      tag: (ids) => plans.tag(TOGGLE, ids),
      route: async (id) => (await plans.route(TOGGLE, [id]))[0] as Routed,
    };
    this.rents = new RedisRents(redis);
    this.#tables = new VehPrice(redis);
  }

  tags({ queryTime, rentFlow }: TagsQuestion): Table<Tags> {
    return this.#table<Tags, keyof Tags>(
      `hermes:tags:{${queryTime}}:${rentFlow}`,
      queryTime,
      ['styleId', 'pricingId'],
      (row) => row,
      ({ styleId, pricingId }) => (styleId && pricingId ? { styleId, pricingId } : null),
    );
  }

  /** A field a plan. */
  rules({ queryTime, roleIds, pricing }: RulesQuestion): Table<PlanRule[]> {
    const roles = roleIds.map(encodeURIComponent).sort().join(',');
    return this.#table<PlanRule[], string>(
      `hermes:rules:{${queryTime}}:${roles}:${pricing}`,
      queryTime,
      undefined,
      (rules) => Object.fromEntries(rules.map((rule) => [PLAN + rule.planId, JSON.stringify(rule)])),
      (fields) => Object.values(fields).flatMap((rule) => (rule ? [JSON.parse(rule) as PlanRule] : [])),
    );
  }

  /** A table named after all that upstream was asked, whose rows outlive every lock on its moment. */
  #table<Row, Field extends string>(
    key: string,
    queryTime: string,
    fields: readonly Field[] | undefined,
    write: (row: Row) => Record<Field, string>,
    read: (fields: Record<Field, string | null>) => Row | null,
  ): Table<Row> {
    const { alignSeconds, lagMs, ttlMs } = this.timing;
    const at = Date.parse(queryTime) + alignSeconds * 1000 + lagMs + ttlMs;
    const get = async (ids: string[]) => {
      const rows = await this.#tables.mget<Field>(key, ids, fields ? { fields } : {});
      return rows.map((row) => row && read(row as Record<Field, string | null>));
    };
    const set = async (rows: Map<string, Row>) => {
      const written = [...rows].map(([id, row]) => [id, write(row)] as const);
      const first = written[0]?.[1];
      if (!first) return rows;
      const names = fields ?? (Object.keys(first) as Field[]);
      await this.#tables.mset(key, names, written, { condition: 'NX', expiry: { at } });
      const ids = [...rows.keys()];
      const stand = await get(ids);
      return new Map(ids.map((id, i) => [id, stand[i] ?? (rows.get(id) as Row)]));
    };
    return { get, set };
  }
}
