/** The size of a `Map` entry whose value is a number. */
const ENTRY_BYTES = 56;

/**
 * When the rows of a copy expire, in milliseconds since 1970, `Infinity` for never. In most tables all rows expire at the same
 * time: only the others are kept one by one.
 */
export class Expiries {
  /** No row expires before this. */
  earliest = Number.POSITIVE_INFINITY;
  readonly #common: number;
  readonly #others = new Map<string, number>();

  constructor(common: number) {
    this.#common = common;
  }

  /** About how much memory it takes. */
  get bytes(): number {
    return this.#others.size * ENTRY_BYTES;
  }

  /** When an existing row expires. */
  of(id: string): number {
    return this.#others.get(id) ?? this.#common;
  }

  set(id: string, at: number): void {
    if (at === this.#common) this.#others.delete(id);
    else this.#others.set(id, at);
    this.earliest = Math.min(this.earliest, at);
  }

  delete(id: string): void {
    this.#others.delete(id);
  }

  /** The rows that have expired by now. The caller must delete them. */
  expired(rows: ReadonlyMap<string, unknown>, now: number): string[] {
    if (now < this.earliest) return [];
    const isCommonOver = this.#common <= now && rows.size > this.#others.size;
    const ids = [...(isCommonOver ? rows : this.#others).keys()];
    this.earliest = this.#common <= now ? Number.POSITIVE_INFINITY : this.#common;
    return ids.filter((id) => {
      const at = this.of(id);
      if (at > now) this.earliest = Math.min(this.earliest, at);
      return at <= now;
    });
  }
}
