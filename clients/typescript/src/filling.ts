import type { Word } from './driver.js';
import type { Outage } from './outage.js';
import type { PriceTableCopies } from './price-table-copies.js';
import type { Answer, GivenRow } from './vehprice.js';
import type { Connect } from './wait-pool.js';

/** Rows as upstream answers them: a `Map` by id, or pairs of id and row. Ids that it leaves out are ids that it does not know. */
export type Fetched<F extends string> = Iterable<readonly [id: Word, row: [F] extends [never] ? object : Partial<GivenRow<F>>]>;

/** Fetches these ids from upstream. The signal says when nobody waits for the answer any more. */
export type Fetch<F extends string = never> = (ids: string[], signal: AbortSignal) => Promise<Fetched<F>>;

/** `F`, which `fields` alone are to tell: what upstream answers and what copies have must fit. */
export type Told<F extends string> = [F][F extends unknown ? 0 : never];

/** Rows, and what it took to have them. */
export interface Filled<R> {
  /** One for each id, in order, null where there is none. */
  rows: (R | null)[];
  /** How many of the ids were there at once. */
  hits: number;
  /** How many this call fetched. */
  filled: number;
  /** How many another pod or call fetched. */
  waited: number;
  /** Ids that upstream does not know. */
  missing: string[];
  /** Whether upstream was asked without the table, under an `UnlockedLock` or as Redis is down. */
  unlocked: boolean;
}

/** A row as it was read. It may be shared by several calls. */
export type FilledRow<F extends string> = Readonly<Answer<F, never>>;

/** Some rows could not be had: upstream failed, or time was up. */
export class FillError<R = unknown> extends Error {
  override readonly name = 'FillError';

  constructor(
    /** The rows that there are. */
    readonly filled: Filled<R>,
    /** The ids of those that could not be had. What upstream does not know is among `filled.missing`. */
    readonly failed: string[],
    /** What upstream failed with. It is no `cause`: an upstream that can't be reached is no Redis that can't. */
    readonly upstream: unknown,
  ) {
    const why = upstream instanceof Error ? upstream.message : String(upstream);
    super(`${failed.length} of ${filled.rows.length} rows could not be had: ${why}`);
  }
}

/** How tables are filled. */
export interface FillOptions {
  /** What a screen may take, in milliseconds: 5,000. Where Redis itself is slow to answer, `answerMs` more. */
  maxMs: number;
  /** What Redis may take to answer a command, with all attempts to send it again: 1,000. */
  answerMs: number;
  /** How long a claim lasts, which is renewed while upstream takes longer: 2,000. It is what a dead pod delays others. */
  claimMs: number;
  /** What an upstream call may take: 10,000. It goes on after `maxMs`, for the next screens. */
  fetchMs: number;
  /** How many ids an upstream call is for: 2,000. */
  limit: number;
  /** How many upstream calls there are at once in this process: 4. One more refreshes. */
  parallel: number;
  /** How many upstream calls there are for an id: 3. */
  tries: number;
  /** How long an id that upstream does not know isn't asked for again: 60,000. By another pod at most as long once more. */
  unknownMs: number;
  /** How many connections there are for waiting: 4. More calls that wait take turns. */
  waitConnections: number;
}

export interface PriceTablesOptions extends Partial<FillOptions> {
  /** Makes a connection for waiting. It is needed for GLIDE and a function alone: other drivers are duplicated. */
  connect?: Connect;
  /** Goes on with upstream alone while Redis is down. */
  outage?: Outage;
}

export interface GetOrFillOptions<F extends string> {
  /** What is read and written: all fields that the table has, the same in each call. Without them what each row has. */
  fields?: readonly F[];
  /** Copies of the same fields. Then rows are read from the copy of the table instead. */
  copies?: PriceTableCopies<Told<F>>;
  /**
   * Fetches rows again, in the background, that expire within this many milliseconds. For tables that are not named after a moment: each call
   * looks for such rows by a `CLAIM` of its own.
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

/** The options, with the defaults of those that are not given. */
export function fillOptions(given: Partial<FillOptions>): FillOptions {
  const options = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof FillOptions)[]) {
    const value = given[name] ?? DEFAULTS[name];
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} takes a whole number from 1 on, not ${value}`);
    options[name] = value;
  }
  return options;
}
