import type { Driver, Word } from './driver.js';
import type { Filling } from './fill.js';
import {
  type Fetch,
  type Filled,
  type FilledRow,
  type GetOrFillOptions,
  type PriceTablesOptions,
  fillOptions,
} from './filling.js';
import { type KeepWarmOptions, type Warming, keepWarm } from './keep-warm.js';
import type { Outage } from './outage.js';
import { Room } from './room.js';
import { Screen } from './screen.js';
import type { NextMoment, PriceTable, Timing } from './timing.js';
import { UnknownIds } from './unknown-ids.js';
import { Upstream } from './upstream.js';
import { VehPrice } from './vehprice.js';
import { WaitPool } from './wait-pool.js';
import { textsOf } from './words.js';

/**
 * Price tables that fill themselves: one call reads the rows of a screen, and has those that are missing fetched from upstream by one
 * pod while the others wait. One for each upstream service.
 */
export class PriceTables {
  readonly #filling: Filling;
  readonly #outage: Outage | undefined;

  constructor(driver: Driver, { connect, outage, ...given }: PriceTablesOptions = {}) {
    const options = fillOptions(given);
    const prices = new VehPrice(driver);
    this.#outage = outage;
    this.#filling = {
      options,
      prices,
      unknown: new UnknownIds(prices, options.unknownMs),
      waits: new WaitPool(driver, options.waitConnections, options.answerMs, connect),
      room: new Room(options.parallel),
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
    fetch: Fetch<F>,
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
   * Fills tables of each moment before users are given it, so that the first screens of a moment wait for nobody. Of all pods that
   * call this one calls `fill`, and another one if it dies; `name` says what it fills. It takes a lag.
   */
  keepWarm(
    timing: Timing,
    name: string,
    fill: (moment: NextMoment, signal: AbortSignal) => Promise<unknown>,
    options: KeepWarmOptions = {},
  ): Warming {
    // Filling has room of its own, as it is filled within it. Who fails leaves it to another pod.
    const { fetchMs } = this.#filling.options;
    const marks: Filling = {
      ...this.#filling,
      options: { ...this.#filling.options, maxMs: fetchMs, tries: 1 },
      room: new Room(1),
    };
    const fields = ['warm'] as const;
    const warm = (moment: NextMoment) => {
      const filled = async (ids: string[], signal: AbortSignal) => {
        await fill(moment, signal);
        return ids.map((id) => [id, { warm: '1' }] as const);
      };
      const mark = timing.table(moment, `${name}?warm`);
      return new Screen(marks, mark, [name], new Upstream<'warm'>(filled, fields), { fields }).throughTable();
    };
    return keepWarm(timing, warm, options);
  }

  /** Closes the connections for waiting. They end, too, with the client that they are duplicates of, but for a Cluster of node-redis. */
  close(): void {
    this.#filling.waits.close();
  }
}
