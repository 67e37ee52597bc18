import { setTimeout as sleep } from 'node:timers/promises';
import { Asks } from './asks.js';
import type { Driver, Word } from './driver.js';
import type { Filling } from './fill.js';
import {
  type Fetch,
  type Filled,
  type FilledRow,
  type GetOrFillOptions,
  type PriceTablesOptions,
  type Told,
  fillOptions,
} from './filling.js';
import { type KeepWarmOptions, type Warming, keepWarm } from './keep-warm.js';
import type { Outage } from './outage.js';
import { type Reserved, type Seen, checkSeen, compared } from './reserve.js';
import { Room } from './room.js';
import { Screen } from './screen.js';
import type { Moment, NextMoment, PriceTable, Timing } from './timing.js';
import { UnknownIds } from './unknown-ids.js';
import { Upstream } from './upstream.js';
import { VehPrice, type Verified } from './vehprice.js';
import { WaitPool } from './wait-pool.js';
import { answered } from './within.js';
import { textsOf } from './words.js';
import { Works } from './works.js';

/** How often to check whether another pod has filled the tables of a `queryTime`. */
const ASK_AGAIN_MS = 250;

/**
 * Price tables that fill themselves: one call reads the rows of a screen, and one pod fetches the missing ones from upstream
 * while the others wait. Use one for each upstream service.
 */
export class PriceTables {
  readonly #filling: Filling;
  readonly #waits: WaitPool;
  readonly #outage: Outage | undefined;

  constructor(driver: Driver, { connect, outage, ...given }: PriceTablesOptions = {}) {
    const options = fillOptions(given);
    const prices = new VehPrice(driver);
    const room = new Room(options.parallel);
    this.#outage = outage;
    this.#waits = new WaitPool(driver, options.waitConnections, options.answerMs, connect);
    this.#filling = {
      asks: new Asks(room, options.limit),
      options,
      prices,
      unknown: new UnknownIds(prices, options.unknownMs),
      waits: this.#waits,
      works: new Works(),
      room,
      refreshing: new Room(1),
    };
  }

  /**
   * The rows of these ids. Of all pods, one call fetches a missing row from upstream and stores it; all of them return the stored
   * row, so they agree.
   *
   * It takes no longer than `maxMs`. If upstream fails or the time is up, it throws a `FillError`, which has the rows there are.
   * If Redis fails, it throws that error, unless there is an `outage`.
   */
  async getOrFill<F extends string = never>(
    table: PriceTable,
    ids: readonly Word[],
    fetch: Fetch<Told<F>>,
    options: GetOrFillOptions<F> = {},
  ): Promise<Filled<FilledRow<F>>> {
    const screen = new Screen(this.#filling, table, textsOf(ids, 'getOrFill'), new Upstream(fetch, options.fields), options);
    if (table.unlocked) return screen.withoutTable();
    if (!this.#outage) return screen.throughTable();
    // Its commands have their own time-outs, and time spent upstream doesn't count as Redis's.
    return this.#outage.run(
      () => screen.throughTable(),
      () => screen.withoutTable(),
      Number.POSITIVE_INFINITY,
    );
  }

  /**
   * Whether a vehicle can be reserved at the price its user saw. Pass as `lock` the lock from `getById`, which never creates one;
   * `tableOf` names its table. A missing row is fetched first; if that fails, throws a `FillError`.
   */
  async reserve<L extends Moment & { unlocked?: boolean }, F extends string = never>(
    lock: L | null | undefined,
    tableOf: (lock: L) => PriceTable,
    id: Word,
    seen: Seen,
    fetch: Fetch<Told<F>>,
    options: { fields?: readonly F[] } = {},
  ): Promise<Reserved> {
    checkSeen(seen);
    if (!lock || lock.queryTime !== seen.queryTime) return { verdict: 'NewQuote', row: null, unlocked: lock?.unlocked === true };
    const table = tableOf(lock);
    const { verdict, row: known = null } = table.unlocked ? {} : await this.#verify(table.key, id, seen.row);
    if (known && verdict && verdict !== 'Missing') return { verdict, row: known, unlocked: false };
    const { rows, unlocked } = await this.getOrFill(table, [id], fetch, options);
    const row: Readonly<Record<string, string | null>> | null | undefined = rows[0];
    return row ? compared(row, seen.row, unlocked) : { verdict: 'NewQuote', row: null, unlocked };
  }

  /**
   * Fills the tables of each `queryTime` before new locks use it, so that its first screens don't wait. Of all pods that call
   * this, one calls `fill`, or another one if that dies; `name` says what it fills. Requires a lag; times are those of the
   * server's clock. `fill` may take until the next `queryTime` is due, or `fetchMs` if that is longer; then its signal aborts.
   */
  keepWarm(
    timing: Timing,
    name: string,
    fill: (moment: NextMoment, signal: AbortSignal) => Promise<unknown>,
    options: KeepWarmOptions = {},
  ): Warming {
    const marksOf = (moment: NextMoment) => timing.table(moment, `${name}?warm`);
    marksOf(timing.nextMoment(new Date())); // throws for a name that makes no key, and for a timing without `alignMs`
    const { prices, options: given } = this.#filling;
    // Has room of its own, as `fill` itself fills tables. A pod that fails leaves it to another one.
    const maxMs = Math.max(timing.alignMs, given.fetchMs);
    const marks: Filling = {
      ...this.#filling,
      options: { ...given, maxMs, fetchMs: maxMs, tries: 1 },
      waits: { until: askAgain },
      room: new Room(1),
    };
    const fields = ['warm'] as const;
    const warm = async (moment: NextMoment) => {
      const filled = async (ids: string[], signal: AbortSignal) => {
        const skips = this.#outage?.skips;
        await fill(moment, signal);
        // Without Redis nothing would be stored.
        if (this.#outage?.skips !== skips) throw new Error('Redis is down');
        return ids.map((id) => [id, { warm: '1' }] as const);
      };
      const upstream = new Upstream<'warm'>(filled, fields);
      await new Screen(marks, marksOf(moment), [name], upstream, { fields }).throughTable();
    };
    const clock = async () => (await answered(given.answerMs, () => prices.changes(`${name}?warm`, '0'))).now;
    return keepWarm(timing, clock, warm, options);
  }

  /**
   * Closes the connections for waiting. They also close with the client of which they are duplicates, except for a node-redis
   * Cluster.
   */
  close(): void {
    this.#waits.close();
  }

  /** Returns nothing about the row if Redis is down and there is an `outage`. */
  async #verify(key: string, id: Word, row: Seen['row']): Promise<Partial<Verified>> {
    const { prices, options } = this.#filling;
    const verify = () => answered(options.answerMs, () => prices.verify(key, id, row));
    return this.#outage ? this.#outage.run(verify, () => ({}), Number.POSITIVE_INFINITY) : verify();
  }
}

/** Waiting for another pod's filling does not use the connections for waiting: those are for screens. */
async function askAgain(_key: string, _ids: readonly string[], leftMs: () => number): Promise<string[]> {
  await sleep(Math.max(0, Math.min(ASK_AGAIN_MS, leftMs())));
  return [];
}
