import type { Redis } from 'ioredis';
import { PriceTableCopies, type Send } from 'quotelock';

/** In JSON a text takes its quotes and a comma besides its characters. */
const AROUND_TEXT = 3;

type Row = Readonly<Record<string, string>>;

/** Copies of tables in a pod's memory, and about how many bytes between pod and Redis they save. */
export class Copies {
  readonly #tables: PriceTableCopies;
  #savedBytes = 0;

  constructor(redis: Redis, maxBytes: number) {
    const send: Send = async ([command = '', ...args]) => {
      const reply = await redis.call(command, args);
      // What comes to keep a copy.
      this.#savedBytes -= String(reply).length + args.join().length;
      return reply;
    };
    // Tables are named after all that upstream was asked, and a row that is there stays as it is until it expires.
    this.#tables = new PriceTableCopies(send, { maxBytes, final: true });
  }

  /** The texts of rows that were found in copies, and of their ids, less what was sent to keep the copies. */
  get savedBytes(): number {
    return this.#savedBytes;
  }

  /** Rows in the order of the ids, null where there is none. */
  async rows(key: string, ids: string[]): Promise<(Row | null)[]> {
    const rows = await this.#tables.of(key).rows(ids);
    rows.forEach((row, at) => {
      if (row) this.#savedBytes += bytesOf(ids[at] as string, row);
    });
    return rows;
  }
}

function bytesOf(id: string, row: Row): number {
  let bytes = id.length + AROUND_TEXT;
  for (const value of Object.values(row)) bytes += value.length + AROUND_TEXT;
  return bytes;
}
