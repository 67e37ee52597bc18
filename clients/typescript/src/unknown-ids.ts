import type { VehPrice } from './vehprice.js';

/** How many ids a process remembers, of all tables. */
const MAX_IDS = 100_000;

const FIELDS = ['unknown'] as const;

/**
 * Ids that upstream does not know, for a time: in this process, so that no screen asks for them again, and in a table beside the one
 * that lacks them, so that no other pod does, whichever client it has.
 */
export class UnknownIds {
  readonly #prices: VehPrice;
  readonly #forMs: number;
  /** Until when, by table and id. The table that learned of one last comes last. */
  readonly #until = new Map<string, Map<string, number>>();
  #count = 0;

  constructor(prices: VehPrice, forMs: number) {
    this.#prices = prices;
    this.#forMs = forMs;
  }

  /** Whether this process knows it to be unknown. */
  has(table: string, id: string): boolean {
    return (this.#until.get(table)?.get(id) ?? 0) > performance.now();
  }

  /** Which of them a pod has found to be unknown. */
  async among(table: string, ids: readonly string[]): Promise<string[]> {
    const marks = await this.#prices.mget(keyOf(table), ids, { fields: FIELDS, current: true });
    const unknown = ids.filter((_, at) => marks[at] !== null);
    this.remember(table, unknown);
    return unknown;
  }

  /** Upstream does not know these: for all pods. */
  async add(table: string, ids: readonly string[]): Promise<void> {
    this.remember(table, ids);
    const marks = ids.map((id) => [id, { unknown: '1' }] as const);
    await this.#prices.mset(keyOf(table), FIELDS, marks, { expiry: { inMs: this.#forMs } });
  }

  /** Upstream does not know these: for this process. */
  remember(key: string, ids: readonly string[]): void {
    if (ids.length === 0) return;
    const until = performance.now() + this.#forMs;
    const table = this.#until.get(key) ?? new Map<string, number>();
    this.#until.delete(key);
    this.#until.set(key, table);
    this.#count -= table.size;
    for (const id of ids) table.set(id, until);
    this.#count += table.size;
    for (const [oldest, { size }] of this.#until) {
      if (this.#count <= MAX_IDS) return;
      this.#until.delete(oldest);
      this.#count -= size;
    }
  }
}

/** No table has such a key, as no part has a bare `?`; a hash tag stays. */
function keyOf(table: string): string {
  return `${table}?unknown`;
}
