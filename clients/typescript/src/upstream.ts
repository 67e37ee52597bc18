import type { Value } from './batch.js';
import { TimeoutError } from './errors.js';
import type { Fetch, FilledRow } from './filling.js';
import { within } from './within.js';
import { checkWord } from './words.js';

/** A row as upstream returns it. */
export type UpstreamRow = Readonly<Record<string, Value>>;

/** Where the rows of a table come from. */
export class Upstream<F extends string> {
  readonly fields: readonly F[] | undefined;
  readonly #fetch: Fetch<F>;

  constructor(fetch: Fetch<F>, fields: readonly F[] | undefined) {
    this.fields = fields;
    this.#fetch = fetch;
  }

  /** The rows of these ids that upstream knows. A row without any value can't be stored, so it counts as missing. */
  async ask(ids: readonly string[], ms: number): Promise<Map<string, UpstreamRow>> {
    const controller = new AbortController();
    const late = () => {
      const error = new TimeoutError(`upstream did not answer within ${ms} ms`);
      controller.abort(error);
      return error;
    };
    const given = await within(ms, (async () => this.#fetch([...ids], controller.signal))(), late);
    const asked = new Set(ids);
    const known = new Map<string, UpstreamRow>();
    for (const [id, row] of given) {
      checkWord(id, 'upstream', () => 'an id');
      if (asked.has(String(id)) && this.#hasValue(row as UpstreamRow)) known.set(String(id), row as UpstreamRow);
    }
    return known;
  }

  /** A row as it will be read from the table. */
  asRead(id: string, row: UpstreamRow): FilledRow<F> {
    const text = (field: string) => {
      const value = row[field];
      if (value === undefined || value === null) return null;
      checkWord(value, 'upstream', () => `field '${field}' of row '${id}'`);
      return String(value);
    };
    const texts = (this.fields ?? Object.keys(row)).map((field) => [field, text(field)] as const);
    return Object.fromEntries(this.fields ? texts : texts.filter(([, value]) => value !== null)) as FilledRow<F>;
  }

  #hasValue(row: UpstreamRow): boolean {
    return (this.fields ?? Object.keys(row)).some((field) => row[field] !== undefined && row[field] !== null);
  }
}
