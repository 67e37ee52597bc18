import type { Redis } from 'ioredis';
import { type Fetch, type FilledRow, type Outage, type PriceTable, PriceTableCopies, PriceTables } from 'quotelock';

/**
 * With fewer ids a copy of the whole table is not worth it: a map reads copies, a vehicle's page reads its one row from the
 * server.
 */
const LEAST_COPIED = 10;

/** Tables that one upstream service fills, of rows with these fields or with any. */
export class Tables<F extends string = never> {
  readonly filled: PriceTables;
  readonly #fields: readonly F[] | undefined;
  readonly #copies: PriceTableCopies<F> | undefined;

  /** `copyBytes`: how much of the pod's memory copies of tables may take. 0: no copies. */
  constructor(redis: Redis, outage: Outage, copyBytes: number, fields?: readonly F[]) {
    this.filled = new PriceTables(redis, { outage });
    this.#fields = fields;
    // Tables are named after everything upstream is called with, and a stored row does not change until it expires.
    const options = { maxBytes: copyBytes, final: true, ...(fields && { fields }) };
    this.#copies = copyBytes > 0 ? new PriceTableCopies(redis, options) : undefined;
  }

  /** Rows by id, without those that upstream does not know. */
  async rows(table: PriceTable, ids: string[], fetch: Fetch<F>): Promise<Map<string, FilledRow<F>>> {
    const copies = ids.length < LEAST_COPIED ? undefined : this.#copies;
    const options = { ...(this.#fields && { fields: this.#fields }), ...(copies && { copies }) };
    const { rows } = await this.filled.getOrFill(table, ids, fetch, options);
    return new Map(rows.flatMap((row, at) => (row === null ? [] : [[ids[at] as string, row]])));
  }
}
