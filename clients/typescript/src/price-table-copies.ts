import type { Driver, Word } from './driver.js';
import { KeptTable } from './kept-table.js';
import { type Answer, VehPrice } from './vehprice.js';
import { textsOf } from './words.js';

/** A row out of a copy. It is frozen, as all calls that read it share it. */
export type CopiedRow<F extends string> = Readonly<Answer<F, never>>;

export interface CopiesOptions<F extends string> {
  /** About what all copies may take of this process's memory together. Those not used for the longest time go first. */
  maxBytes: number;
  /** The fields that are copied. Without them all are. */
  fields?: readonly F[];
  /**
   * For tables whose rows never change once they are there: named after a moment, and filled with `NX` or under claims. Ids that
   * are there are answered without a round trip until they expire, and only for missing ones the server is asked. What is
   * deleted all the same is answered until then.
   */
  final?: boolean;
}

/**
 * Copies of tables in this process's memory, each kept exact by `VEHPRICE.CHANGES`: a round trip that tells what has changed since
 * the last one, however many rows there are.
 *
 * What is asked goes to the primary, even through a driver that reads from replicas: there a write may not have arrived yet that
 * was acknowledged, and revisions are a server's own, so that going from one to another would bring all rows each time.
 */
export class PriceTableCopies<F extends string = never> {
  readonly #prices: VehPrice;
  readonly #fields: readonly F[] | undefined;
  readonly #isFinal: boolean;
  readonly #maxBytes: number;
  /** The one that was used last comes last. */
  readonly #tables = new Map<string, KeptTable<CopiedRow<F>>>();
  #bytes = 0;

  constructor(driver: Driver, { maxBytes, fields, final = false }: CopiesOptions<F>) {
    this.#prices = new VehPrice(driver);
    this.#fields = fields && [...fields];
    this.#isFinal = final;
    this.#maxBytes = maxBytes;
  }

  /** How many tables there are copies of. */
  get size(): number {
    return this.#tables.size;
  }

  /** About what the copies take of this process's memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The copy of a table. It is made when it is first read, and again when it had to go. */
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
    // A table that is larger than all may be does not drive out the others.
    if (grown.bytes > this.#maxBytes) grown.forget();
    for (const table of this.#tables.values()) {
      if (this.#bytes <= this.#maxBytes) return;
      table.forget();
    }
  }
}

/**
 * A table out of its copy. Each call makes one round trip first, shared with those made at the same time, and is as exact as if the
 * rows themselves had been read by it: what was written before the call is in the answer. With `final` a call that
 * finds all its ids makes none.
 *
 * A call fails with the driver's error, or a `ServerError`, as any other. The copy outlives a lost connection, and the next
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

  /** A row, null if there is none. */
  async row(id: Word): Promise<CopiedRow<F> | null> {
    const [row = null] = await this.rows([id]);
    return row;
  }

  /** Rows in the order of the ids, null where there is none. Without ids nothing is asked of the server. */
  async rows(ids: readonly Word[]): Promise<(CopiedRow<F> | null)[]> {
    const texts = textsOf(ids, 'a copy');
    if (texts.length === 0) return [];
    const table = this.#table();
    const found = this.#isFinal ? table.copy?.unexpired(texts) : undefined;
    return found ?? (await table.exact()).rows(texts);
  }

  /** All rows, by id: the same map, which nobody can change, until there is a change in the table. With `final` too the server is asked. */
  async all(): Promise<ReadonlyMap<string, CopiedRow<F>>> {
    return (await this.#table().exact()).all();
  }
}
