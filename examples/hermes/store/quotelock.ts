import type { Redis } from 'ioredis';
import { LockedQuoteInfo, PricePlan, VehPrice } from 'quotelock';

import type { PlanRule } from '../upstream/book.js';
import { Connections } from './connections.js';
import { Copies } from './copies.js';
import { RedisRents } from './rents.js';
import type { Locks, RulesQuestion, Store, Table, Tags, TagsQuestion } from './store.js';
import type { Timing } from './timing.js';

const TOGGLE = 'hermes:pricingReleaseToggle';
const PLAN = 'plan:';
/** Longer than upstream is asked for, all attempts together. */
const CLAIM_MS = 10_000;
/** Longer than upstream usually takes: then a pod asks itself. */
const WAIT_MS = 2000;
/** For fewer ids it is not worth having a copy of the whole table: a map reads copies, a vehicle's page asks for its one row. */
const LEAST_COPIED = 10;

/** Locks, tables and the toggle in the module. No pod's clock counts for any of them. */
export class QuotelockStore implements Store {
  /** Bound when the pod starts. Lag and alignment of its moments are settings of the server. */
  readonly locks: Locks = new LockedQuoteInfo();
  readonly plans: PricePlan;
  readonly rents: RedisRents;
  readonly #tables: VehPrice;
  readonly #copies: Copies | undefined;
  readonly #waiting: Connections;

  constructor(
    redis: Redis,
    readonly timing: Timing,
    /** What copies of tables may take of the pod's memory. With 0 there are none. */
    copyBytes: number,
  ) {
    this.plans = new PricePlan(redis, TOGGLE);
    this.rents = new RedisRents(redis);
    this.#tables = new VehPrice(redis);
    this.#copies = copyBytes > 0 ? new Copies(redis, copyBytes) : undefined;
    this.#waiting = new Connections(redis);
  }

  /** About how many bytes between pod and Redis the copies have saved. */
  get savedBytes(): number {
    return this.#copies?.savedBytes ?? 0;
  }

  tags({ queryTime, rentFlow }: TagsQuestion): Table<Tags> {
    return this.#table<Tags, keyof Tags>(
      `hermes:tags:{${queryTime}}:${rentFlow}`,
      queryTime,
      ['styleId', 'pricingId'],
      ({ styleId, pricingId }) => ({ styleId, pricingId }),
      ({ styleId, pricingId }) => (styleId !== null && pricingId !== null ? { styleId, pricingId } : null),
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
    const options = fields ? { fields } : {};
    const byId = (ids: string[], rows: unknown[]) => {
      const found = ids.flatMap((id, i): [string, Row][] => {
        const fields = rows[i] as Record<Field, string | null> | null;
        const row = fields && read(fields);
        return row === null ? [] : [[id, row]];
      });
      return new Map(found);
    };
    return {
      claim: async (ids) => {
        const copies = ids.length < LEAST_COPIED ? undefined : this.#copies;
        const known = copies ? byId(ids, await copies.rows(key, ids)) : new Map<string, Row>();
        const missing = known.size ? ids.filter((id) => !known.has(id)) : ids;
        const { token, rows, claimed, pending } = await this.#tables.claim<Field>(key, missing, { ttlMs: CLAIM_MS, ...options });
        const found = new Map([...known, ...byId(missing, rows)]);
        return { found, claimed, pending, ...(token === null ? {} : { token }) };
      },
      set: async (rows, token) => {
        // A row that has no field is none.
        const written = [...rows].map(([id, row]) => [id, write(row)] as const).filter(([, row]) => Object.keys(row).length);
        const expiry = { at };
        const stored = token === undefined ? 0 : await this.#tables.mset(key, null, written, { token, expiry });
        if (stored === written.length) return rows;
        // Some claims had ended: for those the first one's rows stand.
        await this.#tables.mset(key, null, written, { condition: 'NX', expiry });
        const ids = [...rows.keys()];
        return new Map([...rows, ...byId(ids, await this.#tables.mget<Field>(key, ids, options))]);
      },
      release: async (token) => void (await this.#tables.release(key, token)),
      wait: (ids) =>
        this.#waiting.use(async (redis) => {
          const rows = await new VehPrice(redis).mget<Field>(key, ids, { blockMs: WAIT_MS, ...options });
          return byId(ids, rows);
        }),
    };
  }
}
