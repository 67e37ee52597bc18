import type { Driver, Word } from './driver.js';
import { KeptTable } from './kept-table.js';
import { type Answer, VehPrice } from './vehprice.js';
import { textsOf } from './words.js';

/** A row of a copy. It is frozen, as all calls that read it share it. */
export type CopiedRow<F extends string> = Readonly<Answer<F, never>>;

export interface CopiesOptions<F extends string> {
  /** About how much memory all copies together may take. The least recently used are dropped first. */
  maxBytes: number;
  /** The fields to copy. Defaults to all. */
  fields?: readonly F[];
  /**
   * For tables whose rows never change once stored: named after a `queryTime`, and filled with `NX` or under claims. Rows in the
   * copy are returned without a round trip until they expire; the server is only called for missing ones. A row deleted on the
   * server is still returned until it expires.
   */
  final?: boolean;
}

/**
 * Copies of tables in this process's memory. `VEHPRICE.CHANGES` keeps each one exact: a round trip that returns only what has
 * changed since the last one, however many rows there are.
 *
 * Calls go to the primary, even through a driver that reads from replicas: a replica may not have an acknowledged write yet, and
 * each server has revisions of its own, so that switching servers would transfer all rows each time.
 */
export class PriceTableCopies<F extends string = never> {
  readonly #prices: VehPrice;
  readonly #fields: readonly F[] | undefined;
  readonly #isFinal: boolean;
  readonly #maxBytes: number;
  /** In order of use, the most recent last. */
  readonly #tables = new Map<string, KeptTable<CopiedRow<F>>>();
  #bytes = 0;

  constructor(driver: Driver, { maxBytes, fields, final = false }: CopiesOptions<F>) {
    this.#prices = new VehPrice(driver);
    this.#fields = fields && [...fields];
    this.#isFinal = final;
    this.#maxBytes = maxBytes;
  }

  /** How many tables have a copy. */
  get size(): number {
    return this.#tables.size;
  }

  /** About how much memory the copies take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The copy of a table. It is made at the first read, and again after it was dropped. */
  of(key: string): PriceTableCopy<F> {
    return new PriceTableCopy(key, this.#isFinal, () => this.#table(key));
  }

  #table(key: string): KeptTable<CopiedRow<F>> {
    const table = this.#tables.get(key) ?? this.#newTable(key);
    this.#tables.delete(key);
    this.#tables.set(key, table);
    return table;
  }

  #newTable(key: string): KeptTable<CopiedRow<F>> {
    const options = this.#fields ? { fields: this.#fields } : {};
    const table: KeptTable<CopiedRow<F>> = new KeptTable((revision) => this.#prices.changes(key, revision, options), {
      onGrowth: (bytes) => {
        this.#bytes += bytes;
        if (bytes > 0) this.#makeRoom(table);
      },
      onEmpty: () => this.#tables.delete(key),
    });
    return table;
  }

  #makeRoom(grown: KeptTable<CopiedRow<F>>): void {
    // A table larger than the limit does not push out the others.
    if (grown.bytes > this.#maxBytes) grown.forget();
    for (const table of this.#tables.values()) {
      if (this.#bytes <= this.#maxBytes) return;
      table.forget();
    }
  }
}

/**
 * Reads a table from its copy. Each call first makes one round trip, shared with concurrent calls, so it is as exact as reading
 * the rows themselves: it returns whatever was written before the call. With `final`, a call that finds all its ids makes no
 * round trip.
 *
 * Calls fail with the driver's error or a `ServerError`, like any other call. The copy survives a lost connection, and the next
 * call is exact again.
 */
export class PriceTableCopy<F extends string = never> {
  /** The key of the table. */
  readonly key: string;
  readonly #isFinal: boolean;
  readonly #table: () => KeptTable<CopiedRow<F>>;

  /** Made by `PriceTableCopies.of`. */
  constructor(key: string, isFinal: boolean, table: () => KeptTable<CopiedRow<F>>) {
    this.key = key;
    this.#isFinal = isFinal;
    this.#table = table;
  }

  /** A row, or null if there is none. */
  async row(id: Word): Promise<CopiedRow<F> | null> {
    const [row = null] = await this.rows([id]);
    return row;
  }

  /** Rows in the order of the ids, null if there is none. With no ids, the server is not called. */
  async rows(ids: readonly Word[]): Promise<(CopiedRow<F> | null)[]> {
    const texts = textsOf(ids, 'a copy');
    if (texts.length === 0) return [];
    const table = this.#table();
    const found = this.#isFinal ? table.copy?.unexpired(texts) : undefined;
    return found ?? (await table.exact()).rows(texts);
  }

  /** All rows, by id. Returns the same immutable map until the table changes. Calls the server even with `final`. */
  async all(): Promise<ReadonlyMap<string, CopiedRow<F>>> {
    return (await this.#table().exact()).all();
  }
}
