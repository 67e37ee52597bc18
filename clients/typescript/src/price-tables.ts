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

/** How often it is asked whether another pod has filled a moment. */
const ASK_AGAIN_MS = 250;

/**
 * Price tables that fill themselves: one call reads the rows of a screen, and has those that are missing fetched from upstream by one
 * pod while the others wait. One for each upstream service.
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
   * The rows of these ids. What is missing is fetched from upstream and stored, by one call of all pods, and all are answered what
   * was stored: so they agree.
   *
   * It takes no longer than `maxMs`. Where upstream fails or time is up it fails with a `FillError`, which has the rows that there
   * are; where Redis does, with that, unless there is an `outage`.
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
    // Its commands have limits of time themselves, and upstream's time is none of Redis.
    return this.#outage.run(
      () => screen.throughTable(),
      () => screen.withoutTable(),
      Number.POSITIVE_INFINITY,
    );
  }

  /**
   * Whether a vehicle can be reserved at what its user saw. `lock` is that of `getById`, which never starts one, and `tableOf` names
   * its table. A row that is missing is fetched first; it fails with a `FillError` where that does.
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
   * Fills tables of each moment before users are on it, so that the first screens of a moment wait for nobody. Of all pods that
   * call this one calls `fill`, and another one if it dies; `name` says what it fills. It takes a lag, and the moments and the time
   * are the server's. `fill` may take until the next moment's turn, or `fetchMs` if that is longer: then its signal ends.
   */
  keepWarm(
    timing: Timing,
    name: string,
    fill: (moment: NextMoment, signal: AbortSignal) => Promise<unknown>,
    options: KeepWarmOptions = {},
  ): Warming {
    const marksOf = (moment: NextMoment) => timing.table(moment, `${name}?warm`);
    marksOf(timing.nextMoment(new Date())); // refuses a name that makes no key, and a timing without moments
    const { prices, options: given } = this.#filling;
    // Filling has room of its own, as it is filled within it. Who fails leaves it to another pod.
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
        // What goes on without Redis stores nothing.
        if (this.#outage?.skips !== skips) throw new Error('Redis is down');
        return ids.map((id) => [id, { warm: '1' }] as const);
      };
      const upstream = new Upstream<'warm'>(filled, fields);
      await new Screen(marks, marksOf(moment), [name], upstream, { fields }).throughTable();
    };
    const clock = async () => (await answered(given.answerMs, () => prices.changes(`${name}?warm`, '0'))).now;
    return keepWarm(timing, clock, warm, options);
  }

  /** Closes the connections for waiting. They end, too, with the client that they are duplicates of, but for a Cluster of node-redis. */
  close(): void {
    this.#waits.close();
  }

  /** Nothing where Redis is down and there is an outage to go on in. */
  async #verify(key: string, id: Word, row: Seen['row']): Promise<Partial<Verified>> {
    const { prices, options } = this.#filling;
    const verify = () => answered(options.answerMs, () => prices.verify(key, id, row));
    return this.#outage ? this.#outage.run(verify, () => ({}), Number.POSITIVE_INFINITY) : verify();
  }
}

/** Who waits for another pod's filling leaves the connections for waiting to screens. */
async function askAgain(_key: string, _ids: readonly string[], leftMs: () => number): Promise<string[]> {
  await sleep(Math.max(0, Math.min(ASK_AGAIN_MS, leftMs())));
  return [];
}
