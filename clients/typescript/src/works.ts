import { Room } from './room.js';
import type { UpstreamRow } from './upstream.js';

/** The outcome of fetching rows, or of waiting for rows that another pod fetches. */
export interface Outcome {
  /** Ids that have a row now. */
  there: readonly string[];
  /** Ids that upstream does not know. */
  unknown?: readonly string[];
  /** The rows that upstream returned, stored or not. */
  fetched?: ReadonlyMap<string, UpstreamRow>;
  /** Whether rows were not stored because they would already have expired. */
  isPast?: boolean;
  /** Upstream's error. */
  upstream?: { error: unknown };
  /** Redis's error. */
  redis?: { error: unknown };
}

/** Work under way for some ids. It never rejects: errors are in its outcome. */
export interface Work {
  ids: readonly string[];
  isFetch: boolean;
  outcome: Promise<Outcome>;
}

/** Work that the calls of a process have under way for a table, so that each row is fetched once. */
export class TableWorks {
  /** Calls claim one after another, as the next one may have nothing left to claim. */
  readonly turn = new Room(1);
  /** The number of calls. */
  calls = 0;
  readonly #byId = new Map<string, Work>();

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** The work under way for any of these ids. */
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

/** The tables for which a process has calls. */
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
