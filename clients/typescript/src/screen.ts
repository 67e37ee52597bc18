import type { Ask } from './asks.js';
import { TimeoutError } from './errors.js';
import { Fill, type Filling } from './fill.js';
import { FillError, type Filled, type FilledRow, type GetOrFillOptions } from './filling.js';
import type { PriceTable } from './timing.js';
import type { Upstream, UpstreamRow } from './upstream.js';
import { answered, within } from './within.js';

/** One call for a screen: through the table, or with upstream alone. */
export class Screen<F extends string> {
  readonly #filling: Filling;
  readonly #table: PriceTable;
  readonly #ids: readonly string[];
  readonly #upstream: Upstream<F>;
  readonly #options: GetOrFillOptions<F>;
  readonly #until: number;
  readonly #late: Error;
  /** Rows read from the table, by id. */
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
    if (fill.isPast) this.#take(fill.fetched);
    const lacking = this.#absent();
    const isUnknown = (id: string) => fill.settled.get(id) === 'unknown';
    const fetched = fill.count('filled');
    const count = { filled: fetched, waited: Math.max(0, absent.length - lacking.length - fetched) };
    const isSettled = lacking.every((id) => fill.settled.has(id));
    const lost = () => (isSettled ? new Error('what was stored has expired, or was deleted') : this.#late);
    return this.#settled(count, isUnknown, () => fill.error ?? lost());
  }

  /** Keeps the rows already read from the table, and fetches the rest from upstream, once for all screens of the process. */
  async withoutTable(): Promise<Filled<FilledRow<F>>> {
    const { asks, options, unknown } = this.#filling;
    const { key } = this.#table;
    const count = { filled: 0, waited: 0 };
    const unknownIds = new Set(this.#absent().filter((id) => unknown.has(key, id)));
    let failure: { error: unknown } | undefined;
    if (this.#fill) count.filled = this.#take(this.#fill.fetched);
    const open = this.#absent().filter((id) => !unknownIds.has(id));
    const ask = (ids: readonly string[]) => this.#upstream.ask(ids, options.fetchMs);
    const { joined, begun } = asks.for(key, open, this.#until, ask);
    const taken = async ({ ids, answer }: Ask, as: keyof typeof count) => {
      try {
        const rows = await answer;
        count[as] += this.#take(rows);
        const notKnown = ids.filter((id) => !rows.has(id));
        unknown.remember(key, notKnown);
        for (const id of notKnown) unknownIds.add(id);
      } catch (error) {
        failure = { error };
      }
    };
    const all = [...joined.map((one) => taken(one, 'waited')), ...begun.map((one) => taken(one, 'filled'))];
    await this.#inTime(Promise.all(all));
    const isUnknown = (id: string) => unknownIds.has(id);
    return this.#settled({ ...count, unlocked: true }, isUnknown, () => (failure ? failure.error : this.#late));
  }

  /** Takes upstream's rows for the ids still missing. Returns how many rows these are. */
  #take(rows: ReadonlyMap<string, UpstreamRow>): number {
    const taken = this.#absent().flatMap((id) => {
      const row = rows.get(id);
      return row ? ([[id, this.#upstream.asRead(id, row)]] as const) : [];
    });
    for (const [id, row] of taken) this.#found.set(id, row);
    return taken.length;
  }

  /** What the screen shows. Throws if a row is missing that upstream may know. */
  #settled(what: Partial<Filled<FilledRow<F>>>, isUnknown: (id: string) => boolean, why: () => unknown): Filled<FilledRow<F>> {
    const lacking = this.#absent();
    const filled = this.#filled({ ...what, missing: lacking.filter(isUnknown) });
    const failed = lacking.filter((id) => !isUnknown(id));
    if (failed.length > 0) throw new FillError(filled, failed, why());
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

  /** Whether the work ended before the time was up. */
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
