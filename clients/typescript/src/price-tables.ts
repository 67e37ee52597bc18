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
import type { Outage } from './outage.js';
import { Room } from './room.js';
import { Screen } from './screen.js';
import type { PriceTable } from './timing.js';
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

  /** Closes the connections for waiting. They end, too, with the client that they are duplicates of, but for a Cluster of node-redis. */
  close(): void {
    this.#filling.waits.close();
  }
}
