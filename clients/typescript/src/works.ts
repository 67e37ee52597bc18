import { Room } from './room.js';
import type { UpstreamRow } from './upstream.js';

/** What came of fetching rows, or of waiting for those that another pod fetches. */
export interface Outcome {
  /** Ids that have a row now. */
  there: readonly string[];
  /** Ids that upstream does not know. */
  unknown?: readonly string[];
  /** What upstream answered, stored or not. */
  fetched?: ReadonlyMap<string, UpstreamRow>;
  /** Whether rows could not be stored, as they would have expired by now. */
  isPast?: boolean;
  /** What upstream failed with. */
  upstream?: { error: unknown };
  /** What Redis failed with. */
  redis?: { error: unknown };
}

/** What is under way for some ids. It never fails: its outcome says so. */
export interface Work {
  ids: readonly string[];
  isFetch: boolean;
  outcome: Promise<Outcome>;
}

/** What the calls of a process have under way for a table, so that of each row it is done once. */
export class TableWorks {
  /** Who claims: one after the other, as the next one may have nothing left to claim. */
  readonly turn = new Room(1);
  /** How many calls there are. */
  calls = 0;
  readonly #byId = new Map<string, Work>();

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** What is under way for any of these. */
  of(ids: readonly string[]): Set<Work> {
    return new Set(ids.flatMap((id) => this.#byId.get(id) ?? []));
  }

  begin(work: Work): void {
    for (const id of work.ids) this.#byId.set(id, work);
    void work.outcome.then(() => {
      for (const id of work.ids) this.#byId.delete(id);
    });
  }
}

/** The tables that a process has calls for. */
export class Works {
  readonly #tables = new Map<string, TableWorks>();

  async with<T>(key: string, call: (table: TableWorks) => Promise<T>): Promise<T> {
    const table = this.#tables.get(key) ?? new TableWorks();
    this.#tables.set(key, table);
    table.calls += 1;
    try {
      return await call(table);
    } finally {
      table.calls -= 1;
      if (table.calls === 0) this.#tables.delete(key);
    }
  }
}
