import type { Changes } from './changes.js';
import { type Reason, ServerError } from './errors.js';
import { RoundTrips } from './round-trips.js';
import { TableCopy } from './table-copy.js';

/**
 * The reasons after which a copy is dropped: the server no longer has or shows the table, or can't read the revision. Other
 * failures are temporary, and the revision is still valid after them.
 */
const ENDS_A_COPY: ReadonlySet<Reason> = new Set(['call', 'type', 'access', 'module']);

/** The owner of a table. */
interface Owner {
  /** The copy has grown by this many bytes. */
  onGrowth(bytes: number): void;
  /** There is no copy, and no call under way that would make one. */
  onEmpty(): void;
}

/** The copy of a table, if there is one, and the round trips that keep it exact. */
export class KeptTable<R extends object> {
  readonly #trips: RoundTrips<TableCopy<R>>;
  readonly #owner: Owner;
  #copy: TableCopy<R> | undefined;
  #bytes = 0;

  /** `ask` returns what has changed since a revision. */
  constructor(ask: (revision: string) => Promise<Changes>, owner: Owner) {
    this.#owner = owner;
    this.#trips = new RoundTrips(
      () => this.#update(ask),
      () => this.#dropIfEmpty(),
    );
  }

  /** About how much memory the copy takes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The copy, as of the last call to the server. */
  get copy(): TableCopy<R> | undefined {
    return this.#copy;
  }

  /** The copy, brought up to date by a round trip that starts after this call. */
  exact(): Promise<TableCopy<R>> {
    return this.#trips.share();
  }

  /** Drops the copy. A round trip under way is still applied to it, and brings it back. */
  forget(): void {
    this.#keep(undefined);
    this.#dropIfEmpty();
  }

  async #update(ask: (revision: string) => Promise<Changes>): Promise<TableCopy<R>> {
    const before = this.#copy;
    const sentAt = performance.now();
    try {
      const changes = await ask(before?.revision ?? '0');
      const copy = TableCopy.updated(before, changes, sentAt);
      this.#keep(copy.isOfNoTable ? undefined : copy);
      return copy;
    } catch (error) {
      if (error instanceof ServerError && ENDS_A_COPY.has(error.reason)) this.#keep(undefined);
      throw error;
    }
  }

  #keep(copy: TableCopy<R> | undefined): void {
    const growth = (copy?.bytes ?? 0) - this.#bytes;
    this.#copy = copy;
    this.#bytes += growth;
    if (growth !== 0) this.#owner.onGrowth(growth);
  }

  #dropIfEmpty(): void {
    if (!this.#copy && this.#trips.isIdle) this.#owner.onEmpty();
  }
}
