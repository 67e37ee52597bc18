import type { Word } from './driver.js';
import type { Outage } from './outage.js';
import type { PriceTableCopies } from './price-table-copies.js';
import type { Answer, GivenRow } from './vehprice.js';
import type { Connect } from './wait-pool.js';

/** Rows as upstream returns them: a `Map` by id, or pairs of id and row. Leave out ids that upstream does not know. */
export type Fetched<F extends string> = Iterable<readonly [id: Word, row: [F] extends [never] ? object : Partial<GivenRow<F>>]>;

/** Fetches these ids from upstream. The signal aborts when nobody waits for the result any more. */
export type Fetch<F extends string = never> = (ids: string[], signal: AbortSignal) => Promise<Fetched<F>>;

/** `F`, inferred from `fields` alone: what upstream returns and what copies hold must match it. */
export type Told<F extends string> = [F][F extends unknown ? 0 : never];

/** Rows, and where they came from. */
export interface Filled<R> {
  /** One for each id, in order, null if there is none. */
  rows: (R | null)[];
  /** How many of the ids were in the table at once. */
  hits: number;
  /** How many ids this call fetched. */
  filled: number;
  /** How many ids another pod or call fetched. */
  waited: number;
  /** Ids that upstream does not know. */
  missing: string[];
  /** Whether the rows came from upstream without the table, because of an `UnlockedLock` or because Redis is down. */
  unlocked: boolean;
}

/** A row as read. Several calls may share it. */
export type FilledRow<F extends string> = Readonly<Answer<F, never>>;

/** Some rows could not be fetched: upstream failed, or the time was up. */
export class FillError<R = unknown> extends Error {
  override readonly name = 'FillError';

  constructor(
    /** The rows there are. */
    readonly filled: Filled<R>,
    /** The ids of the rows that could not be fetched. Ids that upstream does not know are in `filled.missing`. */
    readonly failed: string[],
    /** Upstream's error. It is not the `cause`, as an unreachable upstream doesn't mean that Redis is unreachable. */
    readonly upstream: unknown,
  ) {
    const why = upstream instanceof Error ? upstream.message : String(upstream);
    super(`${failed.length} of ${filled.rows.length} rows could not be had: ${why}`);
  }
}

/** How tables are filled. */
export interface FillOptions {
  /** How long a screen may take, in milliseconds (default 5,000). If Redis itself is slow, `answerMs` longer. */
  maxMs: number;
  /** How long Redis may take to answer a command, repeats included (default 1,000). */
  answerMs: number;
  /**
   * How long a claim lasts; it is renewed while upstream takes longer (default 2,000). A dead pod delays the others by this much.
   */
  claimMs: number;
  /** How long an upstream call may take (default 10,000). It continues after `maxMs`, for the next screens. */
  fetchMs: number;
  /** How many ids an upstream call may have (default 2,000). */
  limit: number;
  /** How many upstream calls this process makes at once (default 4). One more refreshes rows. */
  parallel: number;
  /** How many times upstream is called for an id (default 3). */
  tries: number;
  /**
   * For how long an id that upstream does not know is not fetched again (default 60,000); by another pod, at most twice as long.
   */
  unknownMs: number;
  /** How many connections are used for waiting (default 4). Further calls that wait take turns. */
  waitConnections: number;
}

export interface PriceTablesOptions extends Partial<FillOptions> {
  /** Makes a connection for waiting. Only needed for GLIDE and a function: other drivers are duplicated. */
  connect?: Connect;
  /** Continues with upstream alone while Redis is down. */
  outage?: Outage;
}

export interface GetOrFillOptions<F extends string> {
  /** The fields to read and write: all fields of the table, the same in each call. If omitted, whatever each row has. */
  fields?: readonly F[];
  /** Copies with the same fields. If set, rows are read from the copy of the table. */
  copies?: PriceTableCopies<Told<F>>;
  /**
   * Fetches rows that expire within this many milliseconds again, in the background. For tables not named after a `queryTime`:
   * each call looks for such rows with a `CLAIM` of its own.
   */
  refreshMs?: number;
}

const DEFAULTS: FillOptions = {
  maxMs: 5000,
  answerMs: 1000,
  claimMs: 2000,
  fetchMs: 10_000,
  limit: 2000,
  parallel: 4,
  tries: 3,
  unknownMs: 60_000,
  waitConnections: 4,
};

/** The options, with defaults for those not given. */
export function fillOptions(given: Partial<FillOptions>): FillOptions {
  const options = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof FillOptions)[]) {
    const value = given[name] ?? DEFAULTS[name];
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} takes a whole number from 1 on, not ${value}`);
    options[name] = value;
  }
  return options;
}
