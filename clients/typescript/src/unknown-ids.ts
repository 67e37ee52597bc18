import type { VehPrice } from './vehprice.js';

/** How many ids a process remembers, over all tables. */
const MAX_IDS = 100_000;

const FIELDS = ['unknown'] as const;

/**
 * Remembers for a time which ids upstream does not know: in this process, so that no screen fetches them again, and in a table
 * beside the one that lacks them, so that no other pod does, whatever its client.
 */
export class UnknownIds {
  readonly #prices: VehPrice;
  readonly #forMs: number;
  /** Until when each is remembered, by table and id. The table last added to comes last. */
  readonly #until = new Map<string, Map<string, number>>();
  #count = 0;

  constructor(prices: VehPrice, forMs: number) {
    this.#prices = prices;
    this.#forMs = forMs;
  }

  /** Whether this process knows that upstream does not know the id. */
  has(table: string, id: string): boolean {
    return (this.#until.get(table)?.get(id) ?? 0) > performance.now();
  }

  /** The ids that a pod has found to be unknown. */
  async among(table: string, ids: readonly string[]): Promise<string[]> {
    const marks = await this.#prices.mget(keyOf(table), ids, { fields: FIELDS, current: true });
    const unknown = ids.filter((_, at) => marks[at] !== null);
    this.remember(table, unknown);
    return unknown;
  }

  /** Adds ids that upstream does not know, for all pods. */
  async add(table: string, ids: readonly string[]): Promise<void> {
    this.remember(table, ids);
    const marks = ids.map((id) => [id, { unknown: '1' }] as const);
    await this.#prices.mset(keyOf(table), FIELDS, marks, { expiry: { inMs: this.#forMs } });
  }

  /** Adds ids that upstream does not know, for this process. */
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

/** No price table has this key, as no part contains a bare `?`. The hash tag is kept. */
function keyOf(table: string): string {
  return `${table}?unknown`;
}
