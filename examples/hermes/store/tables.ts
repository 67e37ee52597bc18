import type { Redis } from 'ioredis';
import { type Fetch, type FilledRow, type Outage, type PriceTable, PriceTableCopies, PriceTables, type Send } from 'quotelock';

/** For fewer ids it is not worth having a copy of the whole table: a map reads copies, a vehicle's page asks for its one row. */
const LEAST_COPIED = 10;
/** In JSON a text takes its quotes and a comma besides its characters. */
const AROUND_TEXT = 3;

/** Tables that one upstream service fills, of rows with these fields or with any. */
export class Tables<F extends string = never> {
  readonly filled: PriceTables;
  readonly #fields: readonly F[] | undefined;
  readonly #copies: PriceTableCopies<F> | undefined;
  #savedBytes = 0;

  /** `copyBytes` is what copies of tables may take of the pod's memory. With 0 there are none. */
  constructor(redis: Redis, outage: Outage, copyBytes: number, fields?: readonly F[]) {
    this.filled = new PriceTables(redis, { outage });
    this.#fields = fields;
    const send: Send = async ([command = '', ...args]) => {
      const reply = await redis.call(command, args);
      this.#savedBytes -= String(reply).length + args.join().length;
      return reply;
    };
    // Tables are named after all that upstream was asked, and a row that is there stays as it is until it expires.
    const options = { maxBytes: copyBytes, final: true, ...(fields && { fields }) };
    this.#copies = copyBytes > 0 ? new PriceTableCopies(send, options) : undefined;
  }

  /** The texts of rows that were read out of copies, and of their ids, less what was sent to keep the copies. */
  get savedBytes(): number {
    return this.#savedBytes;
  }

  /** Rows by id, without those that upstream does not know. */
  async rows(table: PriceTable, ids: string[], fetch: Fetch<F>): Promise<Map<string, FilledRow<F>>> {
    const copies = ids.length < LEAST_COPIED ? undefined : this.#copies;
    const options = { ...(this.#fields && { fields: this.#fields }), ...(copies && { copies }) };
    const { rows } = await this.filled.getOrFill(table, ids, fetch, options);
    const found = new Map<string, FilledRow<F>>();
    for (const [at, row] of rows.entries()) {
      if (row === null) continue;
      const id = ids[at] as string;
      found.set(id, row);
      if (copies) this.#savedBytes += bytesOf(id, row);
    }
    return found;
  }
}

function bytesOf(id: string, row: object): number {
  let bytes = id.length + AROUND_TEXT;
  for (const value of Object.values(row)) bytes += (value as string).length + AROUND_TEXT;
  return bytes;
}
