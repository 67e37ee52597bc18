import { setTimeout as sleep } from 'node:timers/promises';
import type { Asks } from './asks.js';
import type { FillOptions } from './filling.js';
import type { Room } from './room.js';
import type { PriceTable } from './timing.js';
import { newToken } from './token.js';
import { isUnavailable } from './unavailable.js';
import type { UnknownIds } from './unknown-ids.js';
import type { UpstreamRow as Row, Upstream } from './upstream.js';
import type { VehPrice } from './vehprice.js';
import type { WaitPool } from './wait-pool.js';
import { answered, endsWithin } from './within.js';
import type { Outcome, TableWorks, Work, Works } from './works.js';

/** The pause after the first failure; each further failure doubles it. */
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1000;

/** How often rows are read again while there is no room to fetch them, in milliseconds. */
const LOOK_MS = 100;

/** What all calls of a process share. */
export interface Filling {
  asks: Asks;
  options: FillOptions;
  prices: VehPrice;
  unknown: UnknownIds;
  waits: Pick<WaitPool, 'until'>;
  works: Works;
  /** Limits how many upstream calls there are at once. */
  room: Room;
  /** One more call, for rows about to expire, so that screens don't wait for it. */
  refreshing: Room;
}

type Settled = 'filled' | 'waited' | 'unknown' | 'failed';

/**
 * One call that fills the missing rows of a table. Of all processes, one fetches each row: it claims the row, fetches it from
 * upstream and stores it under the claim, while the others wait.
 */
export class Fill<F extends string> {
  /** What has become of each id. */
  readonly settled = new Map<string, Settled>();
  /** The rows that upstream returned, stored or not. */
  readonly fetched = new Map<string, Row>();
  /**
   * Whether some rows were not stored because they would already have expired: the lock lives longer than its table's timing
   * says.
   */
  isPast = false;
  /** Upstream's last error. */
  error: unknown;
  readonly #filling: Filling;
  readonly #table: PriceTable;
  readonly #upstream: Upstream<F>;
  readonly #until: number;
  readonly #tries: Map<string, number>;
  /** The work that this call started itself. */
  readonly #own = new Set<Work>();
  readonly #joined = new Map<Work, Promise<void>>();
  #failures = 0;
  /** Redis's error. */
  #redis: { error: unknown } | undefined;

  constructor(filling: Filling, table: PriceTable, upstream: Upstream<F>, ids: Iterable<string>, until: number) {
    this.#filling = filling;
    this.#table = table;
    this.#upstream = upstream;
    this.#until = until;
    this.#tries = new Map([...ids].map((id) => [id, 0]));
  }

  count(settled: Settled): number {
    return [...this.settled.values()].filter((one) => one === settled).length;
  }

  /**
   * Runs until all rows are settled or the time is up. Work still under way then continues, for the next screens. Throws if Redis
   * fails.
   */
  async run(): Promise<void> {
    const { unknown, works } = this.#filling;
    const { key } = this.#table;
    for (const id of this.#tries.keys()) if (unknown.has(key, id)) this.settled.set(id, 'unknown');
    await works.with(key, async (table) => {
      while (this.settled.size < this.#tries.size && this.#leftMs > 0) {
        const failures = this.#failures;
        await this.#claimOpen(table);
        const underWay = table.of(this.#unsettled);
        if (underWay.size > 0) await Promise.race([...underWay].map((work) => this.#join(work)));
        if (this.#redis) throw this.#redis.error;
        if (this.#failures > failures) await this.#pause();
      }
    });
  }

  /** Refreshes rows about to expire, unless a pod is already doing so or this one has just failed to. Nobody waits for it. */
  async refresh(refreshMs: number): Promise<void> {
    const { options, prices, refreshing } = this.#filling;
    if (!refreshing.tryTake()) return;
    const own = newToken();
    const claim = { ttlMs: options.claimMs, limit: options.limit, token: own, refreshMs };
    try {
      const { token, claimed } = await answered(options.answerMs, () =>
        prices.claim(this.#table.key, [...this.#tries.keys()], claim),
      );
      const { upstream, redis } = token === null ? {} : await this.#fetch(claimed, token, refreshMs);
      if (upstream ?? redis) await sleep(MAX_PAUSE_MS, undefined, { ref: false });
    } catch {
      // The rows are still there.
      void this.#release(own);
      await sleep(MAX_PAUSE_MS, undefined, { ref: false });
    } finally {
      refreshing.give();
    }
  }

  get #leftMs(): number {
    return this.#until - performance.now();
  }

  /** Whether rows would expire before they are stored. */
  get #isPast(): boolean {
    const { expiry } = this.#table;
    return typeof expiry === 'object' && expiry.at !== undefined && Number(expiry.at) <= Date.now();
  }

  get #unsettled(): string[] {
    return [...this.#tries.keys()].filter((id) => !this.settled.has(id));
  }

  /** Claims the ids that nobody in this process is fetching, and has them fetched, as long as there is room. */
  async #claimOpen(table: TableWorks): Promise<void> {
    const open = () => this.#unsettled.filter((id) => !table.has(id));
    if (open().length === 0) return;
    const { room } = this.#filling;
    await table.turn.take();
    try {
      while (open().length > 0 && this.#leftMs > 0) {
        if (!room.tryTake()) {
          // A call that can wait for other work need not wait for room.
          if (table.of(this.#unsettled).size > 0) return;
          if (!(await this.#roomFor(open))) return;
        }
        const fetching = await this.#claim(table, open()).catch((error) => {
          room.give();
          throw error;
        });
        if (fetching) void fetching.outcome.then(() => room.give());
        else room.give();
      }
    } finally {
      table.turn.give();
    }
  }

  /** Waits for room, and meanwhile for rows that other pods store. Returns whether it took the room, as ids are still open. */
  async #roomFor(open: () => string[]): Promise<boolean> {
    const { room } = this.#filling;
    const place = room.take();
    let isTaken = false;
    void place.then(() => {
      isTaken = true;
    });
    try {
      while (!isTaken && open().length > 0 && this.#leftMs > 0) await Promise.race([place, this.#look(open())]);
    } catch (error) {
      void place.then(() => room.give());
      throw error;
    }
    if (open().length > 0 && this.#leftMs > 0) return true;
    void place.then(() => room.give());
    return false;
  }

  /** Waits for rows that other pods are fetching. If none is being fetched, reads them again after a while. */
  async #look(ids: readonly string[]): Promise<void> {
    const { there, redis } = await this.#wait(ids);
    if (redis) throw redis.error;
    // This call may have fetched it meanwhile.
    this.#settle(
      there.filter((id) => !this.settled.has(id)),
      'waited',
    );
    if (there.length === 0) await sleep(Math.max(0, Math.min(LOOK_MS, this.#leftMs)));
  }

  /** Claims ids, starts to fetch the claimed ones, if any, and to wait for those that others are fetching. */
  async #claim(table: TableWorks, open: readonly string[]): Promise<Work | undefined> {
    if (this.#leftMs <= 0) return undefined;
    const { options, prices, unknown } = this.#filling;
    const { key } = this.#table;
    const own = newToken();
    const claim = { ttlMs: options.claimMs, limit: options.limit, token: own };
    try {
      const { token, rows, claimed, pending } = await answered(options.answerMs, () => prices.claim(key, open, claim));
      const there = open.filter((_, at) => rows[at] !== null);
      this.#settle(there, 'waited');
      if (pending.length > 0) table.begin({ ids: pending, isFetch: false, outcome: this.#wait(pending) });
      // If the server has no room for more claims, ids that nobody is fetching are fetched without one.
      const taken = new Set([...there, ...pending]);
      const ids = claimed.length > 0 ? claimed : open.filter((id) => !taken.has(id)).slice(0, options.limit);
      if (ids.length === 0) return undefined;
      // A pod that finds an id unknown records it before its claim ends: so look it up after claiming.
      const known = await answered(options.answerMs, () => unknown.among(key, ids));
      this.#settle(known, 'unknown');
      if (known.length > 0 && token !== null) await this.#release(token, known);
      if (known.length === ids.length) return undefined;
      const rest = ids.filter((id) => !this.settled.has(id));
      const work = { ids: rest, isFetch: true, outcome: this.#fetch(rest, token) };
      this.#own.add(work);
      table.begin(work);
      return work;
    } catch (error) {
      void this.#release(own); // as soon as the driver gets through
      throw error;
    }
  }

  #join(work: Work): Promise<void> {
    const joined = this.#joined.get(work) ?? work.outcome.then((outcome) => this.#learn(work, outcome));
    this.#joined.set(work, joined);
    return joined;
  }

  #learn(work: Work, { there, unknown = [], fetched = new Map<string, Row>(), upstream, redis, isPast = false }: Outcome): void {
    const isAsked = (id: string) => this.#tries.has(id) && !this.settled.has(id);
    this.#settle(there.filter(isAsked), this.#own.has(work) ? 'filled' : 'waited');
    this.#settle(unknown.filter(isAsked), 'unknown');
    for (const [id, row] of fetched) if (this.#tries.has(id)) this.fetched.set(id, row);
    // Fetching it again would not help.
    if (isPast) this.#settle([...fetched.keys()].filter(isAsked), this.#own.has(work) ? 'filled' : 'waited');
    this.isPast ||= isPast;
    this.#redis ??= redis;
    if (upstream) this.error = upstream.error;
    if (!work.isFetch) return;
    const open = work.ids.filter(isAsked);
    if (open.length > 0) this.#failures += 1;
    for (const id of open) {
      const tries = (this.#tries.get(id) ?? 0) + 1;
      this.#tries.set(id, tries);
      if (tries >= this.#filling.options.tries) this.settled.set(id, 'failed');
    }
  }

  async #wait(ids: readonly string[]): Promise<Outcome> {
    try {
      return { there: await this.#filling.waits.until(this.#table.key, ids, () => this.#leftMs) };
    } catch (error) {
      return { there: [], redis: { error } };
    }
  }

  /** Fetches rows and stores them. */
  async #fetch(ids: readonly string[], token: string | null, refreshMs?: number): Promise<Outcome> {
    let fetched: ReadonlyMap<string, Row>;
    try {
      fetched = await this.#ask(ids, token, refreshMs);
    } catch (error) {
      return { there: [], upstream: { error } };
    }
    try {
      const there = await this.#store(fetched, token);
      const isPast = there.length < fetched.size && this.#isPast;
      if (isPast && token !== null) await this.#release(token);
      return { there, fetched, isPast, unknown: await this.#noteUnknown(ids, fetched, token) };
    } catch (error) {
      return { there: [], fetched, redis: { error } };
    }
  }

  /** Fetches from upstream, and renews the claims meanwhile. */
  async #ask(ids: readonly string[], token: string | null, refreshMs?: number): Promise<ReadonlyMap<string, Row>> {
    const { options } = this.#filling;
    const answer = this.#upstream.ask(ids, options.fetchMs);
    // One after another: none may arrive after the claims were released.
    while (!(await endsWithin(options.claimMs / 3, answer))) {
      if (token === null) continue;
      const renew = () => this.#renew(ids, token, refreshMs);
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
   * Renews claims. A claim that has ended is not made again: a row deleted meanwhile must not come back. `CLAIM` would claim it
   * anew; but `limit` counts rows already claimed first, then ids in order: here placeholders, which stand for no row.
   */
  async #renew(ids: readonly string[], token: string, refreshMs?: number): Promise<void> {
    const blanks = ids.map((_, at) => `?${token.slice(0, 8)}.${at}`);
    const claim = {
      ttlMs: this.#filling.options.claimMs,
      token,
      limit: ids.length,
      ...(refreshMs !== undefined && { refreshMs }),
    };
    await this.#filling.prices.claim(this.#table.key, [...blanks, ...ids], claim);
  }

  /**
   * Stores rows; existing rows of others stay. Returns the ids that have a row now. If Redis can't be reached, the claims stay
   * until they expire: the write may have been carried out or be under way, and would be lost without its claim.
   */
  async #store(rows: ReadonlyMap<string, Row>, token: string | null): Promise<string[]> {
    const { options, prices } = this.#filling;
    const { key, expiry } = this.#table;
    const ids = [...rows.keys()];
    // Any other write ends a claim. Some claimed rows may exist: those being refreshed.
    const how = { expiry, ...(token === null ? ({ condition: 'NX' } as const) : { token }) };
    try {
      const { fields } = this.#upstream;
      const write = () => (fields ? prices.mset(key, fields, rows, how) : prices.mset(key, null, rows, how));
      if ((await answered(options.answerMs, write)) === ids.length) return ids;
    } catch (error) {
      if (token !== null && !isUnavailable(error)) await this.#release(token);
      throw error;
    }
    // Others stored them; or the first of two calls did, whose reply was lost; or the claim was lost, and they must be fetched
    // again.
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

  /** If this fails, the claims expire. */
  async #release(token: string, ids?: readonly string[]): Promise<void> {
    const { options, prices } = this.#filling;
    await answered(options.answerMs, () => prices.release(this.#table.key, token, ids)).catch(() => undefined);
  }

  /** Jitter, so that pods that fail at the same time don't retry at the same time. */
  async #pause(): Promise<void> {
    const ms = Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 1), MAX_PAUSE_MS) * (0.5 + Math.random() / 2);
    await sleep(Math.max(0, Math.min(ms, this.#leftMs)));
  }

  #settle(ids: readonly string[], settled: Settled): void {
    for (const id of ids) this.settled.set(id, settled);
  }
}
