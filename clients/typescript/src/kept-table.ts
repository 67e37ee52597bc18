import type { Changes } from './changes.js';
import { type Reason, ServerError } from './errors.js';
import { RoundTrips } from './round-trips.js';
import { TableCopy } from './table-copy.js';

/**
 * Why the server refuses where it no longer has, or no longer shows, what was copied, or can't read the revision. The other
 * reasons pass, and the revision is good after them.
 */
const ENDS_A_COPY: ReadonlySet<Reason> = new Set(['call', 'type', 'access', 'module']);

/** Whom a table belongs to. */
interface Owner {
  /** The copy takes this many bytes more. */
  onGrowth(bytes: number): void;
  /** There is no copy, and no call under way that would bring one. */
  onEmpty(): void;
}

/** The copy of a table, if there is one, and the round trips that keep it exact. */
export class KeptTable<R extends object> {
  readonly #trips: RoundTrips<TableCopy<R>>;
  readonly #owner: Owner;
  #copy: TableCopy<R> | undefined;
  #bytes = 0;

  /** `ask` asks the server what has changed since a revision. */
  constructor(ask: (revision: string) => Promise<Changes>, owner: Owner) {
    this.#owner = owner;
    this.#trips = new RoundTrips(
      () => this.#update(ask),
      () => this.#dropIfEmpty(),
    );
  }

  /** About what the copy takes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The copy, as it was when the server was last asked. */
  get copy(): TableCopy<R> | undefined {
    return this.#copy;
  }

  /** The copy, made exact by a round trip that begins after this call. */
  exact(): Promise<TableCopy<R>> {
    return this.#trips.share();
  }

  /** Lets the copy go. A round trip that is under way is applied to it still, and brings it back. */
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
