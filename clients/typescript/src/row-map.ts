/** An immutable map of rows by id. `Object.freeze` would not make a `Map` immutable. */
export class RowMap<R> implements ReadonlyMap<string, R> {
  readonly #rows: ReadonlyMap<string, R>;

  constructor(rows: ReadonlyMap<string, R>) {
    this.#rows = rows;
    Object.freeze(this);
  }

  get size(): number {
    return this.#rows.size;
  }

  get(id: string): R | undefined {
    return this.#rows.get(id);
  }

  has(id: string): boolean {
    return this.#rows.has(id);
  }

  keys(): ReturnType<ReadonlyMap<string, R>['keys']> {
    return this.#rows.keys();
  }

  values(): ReturnType<ReadonlyMap<string, R>['values']> {
    return this.#rows.values();
  }

  entries(): ReturnType<ReadonlyMap<string, R>['entries']> {
    return this.#rows.entries();
  }

  [Symbol.iterator](): ReturnType<ReadonlyMap<string, R>['entries']> {
    return this.#rows.entries();
  }

  forEach(call: (row: R, id: string, rows: ReadonlyMap<string, R>) => void, self?: unknown): void {
    for (const [id, row] of this.#rows) call.call(self, row, id, this);
  }
}
