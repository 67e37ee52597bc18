import type { Redis } from 'ioredis';
import {
  LockedQuoteInfo,
  type NextMoment,
  type Outage,
  PricePlan,
  type PriceTable,
  type Seen,
  type Timing,
  type Warming,
} from 'quotelock';

import type { PlanRule, Pricing } from '../upstream/book.js';
import { RedisRents } from './rents.js';
import { type Ask, type Locks, type Moment, type Store, TOGGLE, type Tags, type Verdict } from './store.js';
import { Tables } from './tables.js';

const FIELDS = ['styleId', 'pricingId'] as const;
const PLAN = 'plan:';

/** Locks, tables and the toggle in the module. None of them depends on a pod's clock. */
export class QuotelockStore implements Store {
  readonly plans: PricePlan;
  readonly rents: RedisRents;
  readonly #tags;
  readonly #rules;

  constructor(
    redis: Redis,
    readonly timing: Timing,
    readonly outage: Outage,
    copyBytes: number,
    /** Bound when the pod starts. The lag and alignment of `queryTime` are the server's settings. */
    readonly locks: Locks = new LockedQuoteInfo(),
  ) {
    this.plans = new PricePlan(redis, TOGGLE);
    this.rents = new RedisRents(redis);
    this.#tags = new Tables(redis, outage, copyBytes, FIELDS);
    this.#rules = new Tables(redis, outage, copyBytes);
  }

  async tags(moment: Moment, rentFlow: string, ids: string[], ask: Ask<Tags>): Promise<Map<string, Tags>> {
    const rows = await this.#tags.rows(this.#tagsOf(moment, rentFlow), ids, ask);
    return new Map([...rows].map(([id, { styleId, pricingId }]) => [id, { styleId: styleId ?? '', pricingId: pricingId ?? '' }]));
  }

  /** A field a plan. */
  async rules(moment: Moment, pricing: Pricing, ids: string[], ask: Ask<PlanRule[]>): Promise<Map<string, PlanRule[]>> {
    const table = this.timing.table(moment, 'hermes:rules', moment.roleIds, pricing);
    const rows = await this.#rules.rows(table, ids, async (ids) =>
      [...(await ask(ids))].map(([id, rules]) => [id, fieldsOf(rules)]),
    );
    return new Map([...rows].map(([id, row]) => [id, Object.values(row).map((rule) => JSON.parse(rule) as PlanRule)]));
  }

  async verdict(lock: Moment, rentFlow: string, id: string, seen: Seen, ask: Ask<Tags>): Promise<Verdict> {
    const tableOf = (lock: Moment) => this.#tagsOf(lock, rentFlow);
    return (await this.#tags.filled.reserve(lock, tableOf, id, seen, ask, { fields: FIELDS })).verdict;
  }

  /** Has one of all pods fill the tables of each `queryTime` before locks use it. */
  keepWarm(fill: (moment: NextMoment) => Promise<void>, onError: (error: unknown) => void): Warming {
    return this.#tags.filled.keepWarm(this.timing, 'hermes:map', fill, { onError });
  }

  #tagsOf(moment: Moment, rentFlow: string): PriceTable {
    return this.timing.table(moment, 'hermes:tags', rentFlow);
  }
}

function fieldsOf(rules: PlanRule[]): Record<string, string> {
  return Object.fromEntries(rules.map((rule) => [PLAN + rule.planId, JSON.stringify(rule)]));
}
