import { setTimeout as sleep } from 'node:timers/promises';
import type { FillOptions } from './filling.js';
import type { Room } from './room.js';
import type { PriceTable } from './timing.js';
import { newToken } from './token.js';
import { isUnavailable } from './unavailable.js';
import type { UnknownIds } from './unknown-ids.js';
import type { UpstreamRow as Row, Upstream } from './upstream.js';
import type { Expiry, VehPrice } from './vehprice.js';
import type { WaitPool } from './wait-pool.js';
import { answered, endsWithin } from './within.js';

/** The pause after the first failure; each one that follows doubles it. */
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1000;

/** What the calls of a process share. */
export interface Filling {
  options: FillOptions;
  prices: VehPrice;
  unknown: UnknownIds;
  waits: WaitPool;
  /** How many upstream calls there may be at once. */
  room: Room;
}

type Settled = 'filled' | 'waited' | 'unknown' | 'failed';

/**
 * One call that fills what a table lacks: of all processes one fetches each row. It claims the row, asks upstream and stores it under
 * the claim, while the others wait.
 */
export class Fill<F extends string> {
  /** What became of the ids. */
  readonly settled = new Map<string, Settled>();
  /** What upstream answered to this call, stored or not. */
  readonly fetched = new Map<string, Row>();
  /** What upstream failed with last. */
  error: unknown;
  readonly #filling: Filling;
  readonly #table: PriceTable;
  readonly #upstream: Upstream<F>;
  readonly #until: number;
  readonly #tries: Map<string, number>;
  readonly #underWay = new Map<Promise<void>, readonly string[]>();
  #failures = 0;
  /** What Redis failed with where a row was to be stored. */
  #notStored: { error: unknown } | undefined;

  constructor(filling: Filling, table: PriceTable, upstream: Upstream<F>, ids: Iterable<string>, until: number) {
    this.#filling = filling;
    this.#table = table;
    this.#upstream = upstream;
    this.#until = until;
    this.#tries = new Map([...ids].map((id) => [id, 0]));
  }

  /** Until all rows are settled, or the time is up. What is under way then goes on, for the next screens. It fails as Redis does. */
  async run(): Promise<void> {
    const { unknown, waits } = this.#filling;
    this.#settle(
      [...this.#tries.keys()].filter((id) => unknown.has(this.#table.key, id)),
      'unknown',
    );
    while (this.settled.size < this.#tries.size && this.#leftMs > 0) {
      const failures = this.#failures;
      const pending = await this.#claimAll();
      if (this.#underWay.size > 0) await Promise.race(this.#underWay.keys());
      else if (pending.length > 0) this.#settle(await waits.until(this.#table.key, pending, () => this.#leftMs), 'waited');
      if (this.#notStored) throw this.#notStored.error;
      if (this.#failures > failures) await this.#pause();
    }
  }

  /** Fetches rows again that are about to expire, unless another pod is at it or there is no room. Nobody waits for it. */
  async refresh(refreshMs: number): Promise<void> {
    const { options, prices, room } = this.#filling;
    const claim = { ttlMs: options.claimMs, limit: options.limit, token: newToken(), refreshMs };
    if (!room.tryTake()) return;
    try {
      const { token, claimed } = await prices.claim(this.#table.key, [...this.#tries.keys()], claim);
      if (token !== null) await this.#fetch(claimed, token);
    } catch {
      // The rows are there still, and the claims expire.
    } finally {
      room.give();
    }
  }

  get #leftMs(): number {
    return this.#until - performance.now();
  }

  /** What nobody is at whom this call knows of. */
  get #open(): string[] {
    const busy = new Set([...this.#underWay.values()].flat());
    return [...this.#tries.keys()].filter((id) => !this.settled.has(id) && !busy.has(id));
  }

  /** Claims what is to be fetched and has it fetched, as long as there is room. What others are fetching. */
  async #claimAll(): Promise<string[]> {
    const { room } = this.#filling;
    let pending: string[] = [];
    while (this.#open.length > pending.length && this.#leftMs > 0) {
      if (!room.tryTake()) {
        // Who has something under way need not wait for room.
        if (this.#underWay.size > 0) break;
        await room.take();
      }
      const claim = await this.#claim().catch((error) => {
        room.give();
        throw error;
      });
      pending = claim.pending;
      if (claim.ids.length === 0) {
        room.give();
        break;
      }
      this.#begin(claim.ids, claim.token);
    }
    return pending;
  }

  /** The ids that this call is to fetch, and those that others are fetching. */
  async #claim(): Promise<{ token: string | null; ids: string[]; pending: string[] }> {
    if (this.#leftMs <= 0) return { token: null, ids: [], pending: [] };
    const { options, prices, unknown } = this.#filling;
    const { key } = this.#table;
    const asked = this.#open;
    const own = newToken();
    const claim = { ttlMs: options.claimMs, limit: options.limit, token: own };
    try {
      const { token, rows, claimed, pending } = await answered(options.answerMs, () => prices.claim(key, asked, claim));
      const there = asked.filter((_, at) => rows[at] !== null);
      this.#settle(there, 'waited');
      // What nobody is at is fetched without a claim where the server has no room for more of them.
      const taken = new Set([...there, ...pending]);
      const ids = claimed.length > 0 ? claimed : asked.filter((id) => !taken.has(id)).slice(0, options.limit);
      // Who found an id unknown says so before its claim ends: so it is to be looked up after the claim.
      const known = ids.length > 0 ? await answered(options.answerMs, () => unknown.among(key, ids)) : [];
      if (known.length === 0) return { token, ids, pending };
      this.#settle(known, 'unknown');
      if (token !== null) await this.#release(token, known);
      const rest = ids.filter((id) => !this.settled.has(id));
      return { token, ids: rest, pending };
    } catch (error) {
      void this.#release(own); // as soon as the driver gets through
      throw error;
    }
  }

  #begin(ids: readonly string[], token: string | null): void {
    const call = this.#fetch(ids, token).finally(() => {
      this.#filling.room.give();
      this.#underWay.delete(call);
    });
    this.#underWay.set(call, ids);
  }

  /** Fetches rows and stores them. It never fails: what becomes of the ids is noted. */
  async #fetch(ids: readonly string[], token: string | null): Promise<void> {
    let rows: ReadonlyMap<string, Row>;
    try {
      rows = await this.#ask(ids, token);
    } catch (error) {
      this.error = error;
      return this.#tryAgain(ids);
    }
    for (const [id, row] of rows) this.fetched.set(id, row);
    try {
      this.#settle(await this.#store(rows, token), 'filled');
      this.#settle(await this.#noteUnknown(ids, rows, token), 'unknown');
      this.#tryAgain(ids);
    } catch (error) {
      this.#notStored = { error };
    }
  }

  #tryAgain(ids: readonly string[]): void {
    const open = ids.filter((id) => !this.settled.has(id));
    if (open.length > 0) this.#failures += 1;
    for (const id of open) {
      const tries = (this.#tries.get(id) ?? 0) + 1;
      this.#tries.set(id, tries);
      if (tries >= this.#filling.options.tries) this.settled.set(id, 'failed');
    }
  }

  /** Asks upstream, and renews the claims meanwhile. */
  async #ask(ids: readonly string[], token: string | null): Promise<ReadonlyMap<string, Row>> {
    const { options, prices } = this.#filling;
    const answer = this.#upstream.ask(ids, options.fetchMs);
    // One after the other: none may come after the claims were given up.
    while (!(await endsWithin(options.claimMs / 3, answer))) {
      if (token === null) continue;
      const renew = () => prices.claim(this.#table.key, ids, { ttlMs: options.claimMs, token });
      await answered(options.claimMs / 3, renew).catch(() => undefined); // the next one may succeed, otherwise they expire
    }
    try {
      return await answer;
    } catch (error) {
      if (token !== null) await this.#release(token); // so that another pod can take them at once
      throw error;
    }
  }

  /**
   * Stores rows, of which others' stand that are there already. The ids that have a row now. Where Redis can't be reached the claims
   * stay until they expire: the write may have been carried out, or be under way, and without its claim it would be lost.
   */
  async #store(rows: ReadonlyMap<string, Row>, token: string | null): Promise<string[]> {
    const { options, prices } = this.#filling;
    const { key, expiry } = this.#table;
    const ids = [...rows.keys()];
    // A claim ends with whatever else is written. Of the rows that are claimed some may be there: those to be refreshed.
    const how = { expiry, ...(token === null ? ({ condition: 'NX' } as const) : { token }) };
    try {
      const { fields } = this.#upstream;
      const write = () => (fields ? prices.mset(key, fields, rows, how) : prices.mset(key, null, rows, how));
      // Rows that have expired already are not stored: there is nothing to try again.
      if ((await answered(options.answerMs, write)) === ids.length || hasPassed(expiry)) return ids;
    } catch (error) {
      if (token !== null && !isUnavailable(error)) await this.#release(token);
      throw error;
    }
    // By others; or by the first of two calls, whose reply was lost; or the claim had ended, and they are to be fetched again.
    const there = await answered(options.answerMs, () => prices.mget(key, ids, { current: true }));
    return ids.filter((_, at) => there[at] !== null);
  }

  async #noteUnknown(ids: readonly string[], rows: ReadonlyMap<string, object>, token: string | null): Promise<string[]> {
    const unknown = ids.filter((id) => !rows.has(id));
    if (unknown.length === 0) return [];
    await answered(this.#filling.options.answerMs, () => this.#filling.unknown.add(this.#table.key, unknown));
    if (token !== null) await this.#release(token, unknown);
    return unknown;
  }

  /** Where it fails, the claims expire. */
  async #release(token: string, ids?: readonly string[]): Promise<void> {
    const { options, prices } = this.#filling;
    await answered(options.answerMs, () => prices.release(this.#table.key, token, ids)).catch(() => undefined);
  }

  /** Pods that fail at the same time don't come back at the same time. */
  async #pause(): Promise<void> {
    const ms = Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 1), MAX_PAUSE_MS) * (0.5 + Math.random() / 2);
    await sleep(Math.max(0, Math.min(ms, this.#leftMs)));
  }

  #settle(ids: readonly string[], settled: Settled): void {
    for (const id of ids) this.settled.set(id, settled);
  }
}

/** By this process's clock. Where that is behind the server's, the rows are fetched again. */
function hasPassed(expiry: Expiry): boolean {
  return typeof expiry === 'object' && expiry.at !== undefined && Number(expiry.at) <= Date.now();
}
