import { Fill, type Filling } from './fill.js';
import { FillError, type Filled, type FilledRow, type GetOrFillOptions } from './filling.js';
import type { PriceTable } from './timing.js';
import type { Upstream, UpstreamRow } from './upstream.js';
import { TimeoutError, answered, within } from './within.js';

/** One call for a screen: through the table, or with upstream alone. */
export class Screen<F extends string> {
  readonly #filling: Filling;
  readonly #table: PriceTable;
  readonly #ids: readonly string[];
  readonly #upstream: Upstream<F>;
  readonly #options: GetOrFillOptions<F>;
  readonly #until: number;
  readonly #late: Error;
  /** Rows that were read from the table, by id. */
  readonly #found = new Map<string, FilledRow<F>>();
  #hits = 0;
  #fill: Fill<F> | undefined;

  constructor(filling: Filling, table: PriceTable, ids: readonly string[], upstream: Upstream<F>, options: GetOrFillOptions<F>) {
    const { maxMs } = filling.options;
    this.#filling = filling;
    this.#table = table;
    this.#ids = ids;
    this.#upstream = upstream;
    this.#options = options;
    this.#until = performance.now() + maxMs;
    this.#late = new TimeoutError(`no answer within ${maxMs} ms`);
  }

  async throughTable(): Promise<Filled<FilledRow<F>>> {
    await this.#read(this.#ids);
    this.#hits = this.#found.size;
    this.#refresh();
    const absent = this.#absent();
    if (absent.length === 0) return this.#filled({});

    const fill = new Fill(this.#filling, this.#table, this.#upstream, absent, this.#until);
    this.#fill = fill;
    await this.#inTime(fill.run());
    await this.#read(absent, { current: true });
    const missing = this.#absent();
    const fetched = fill.count('filled');
    const filled = this.#filled({ filled: fetched, waited: Math.max(0, absent.length - missing.length - fetched), missing });
    if (missing.every((id) => fill.settled.get(id) === 'unknown')) return filled;
    const isSettled = missing.every((id) => fill.settled.has(id));
    throw new FillError(
      filled,
      fill.error ?? (isSettled ? new Error('what was stored has expired, or was deleted') : this.#late),
    );
  }

  /** What was had from the table already counts, and upstream is asked for the rest, once. */
  async withoutTable(): Promise<Filled<FilledRow<F>>> {
    const { options, room } = this.#filling;
    const take = (rows: ReadonlyMap<string, UpstreamRow>) => {
      for (const [id, row] of rows) this.#found.set(id, this.#upstream.asRead(id, row));
    };
    if (this.#fill) take(this.#fill.fetched);
    let failure: { error: unknown } | undefined;
    const ask = async (ids: string[]) => {
      await room.take();
      try {
        if (this.#leftMs <= 0) throw this.#late;
        take(await this.#upstream.ask(ids, Math.min(options.fetchMs, this.#leftMs)));
      } catch (error) {
        failure = { error };
      } finally {
        room.give();
      }
    };
    const absent = this.#absent();
    const asked: Promise<void>[] = [];
    for (let at = 0; at < absent.length; at += options.limit) asked.push(ask(absent.slice(at, at + options.limit)));
    if (!(await this.#inTime(Promise.all(asked)))) failure ??= { error: this.#late };
    const filled = this.#filled({ filled: this.#found.size - this.#hits, missing: this.#absent(), unlocked: true });
    if (failure) throw new FillError(filled, failure.error);
    return filled;
  }

  get #leftMs(): number {
    return this.#until - performance.now();
  }

  async #read(ids: readonly string[], options: { current?: boolean } = {}): Promise<void> {
    const { key } = this.#table;
    const { fields, copies } = this.#options;
    const read = () =>
      copies ? copies.of(key).rows(ids) : this.#filling.prices.mget(key, ids, { ...(fields && { fields }), ...options });
    const rows = await answered(this.#filling.options.answerMs, read);
    for (const [at, id] of ids.entries()) {
      const row = rows[at];
      if (row) this.#found.set(id, row);
    }
  }

  #refresh(): void {
    const { refreshMs } = this.#options;
    if (refreshMs === undefined || this.#found.size === 0) return;
    void new Fill(this.#filling, this.#table, this.#upstream, this.#found.keys(), Number.POSITIVE_INFINITY).refresh(refreshMs);
  }

  #absent(): string[] {
    return [...new Set(this.#ids)].filter((id) => !this.#found.has(id));
  }

  #filled(what: Partial<Filled<FilledRow<F>>>): Filled<FilledRow<F>> {
    const rows = this.#ids.map((id) => this.#found.get(id) ?? null);
    return { rows, hits: this.#hits, filled: 0, waited: 0, missing: [], unlocked: false, ...what };
  }

  /** Whether it ended before the time was up. */
  async #inTime(work: Promise<unknown>): Promise<boolean> {
    try {
      await within(this.#leftMs, work, () => this.#late);
      return true;
    } catch (error) {
      if (error !== this.#late) throw error;
      return false;
    }
  }
}
