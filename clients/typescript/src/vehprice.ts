import { type Columns, type Value, columnsText, idsText, rowsOf, rowsText } from './batch.js';
import type { Changes } from './changes.js';
import { type Driver, type Word, commands } from './driver.js';
import { ServerError } from './errors.js';
import { json, list, members, number, text } from './reply.js';
import { newToken } from './token.js';
import { checkWord } from './words.js';

/** A row as it is stored: names of fields and their values. */
export type Row = Record<string, string>;

/** When rows expire: a number of milliseconds from now, at a moment, when the row that is replaced would have, or never. */
export type Expiry = { inMs: number; at?: never } | { at: Date | number; inMs?: never } | 'keep' | 'never';

/** A row to be written: a field that it lacks is undefined or null. */
export type GivenRow<F extends string> = Readonly<Record<F, Value>>;

/**
 * Whether rows have the fields `F`. A type that lacks some of `F` has no other names, which would be mistakes; one that has all of them,
 * optional, may have others, which are not written.
 */
export type OnlyOf<F extends string, Rows> = [OtherNames<F, Rows>] extends [never]
  ? unknown
  : { readonly notAmongTheFields: OtherNames<F, Rows> };

type OtherNames<F extends string, Rows> = Rows extends Iterable<readonly [unknown, infer R]> ? OtherNamesOfRow<F, R> : never;
type OtherNamesOfRow<F extends string, R> =
  R extends GivenRow<F> ? Exclude<keyof R, F> : [F] extends [keyof R] ? never : Exclude<keyof R, F>;

export interface WriteOptions {
  /** `NX`: only rows that are not there; `XX`: only rows that are. Checked row by row. */
  condition?: 'NX' | 'XX';
  /** Sets these fields and keeps the others, and the row's expiry. */
  merge?: boolean;
  /** Without it the server's setting `price-ttl-ms` goes, with `merge` the row's own. */
  expiry?: Expiry;
  /** Only rows that are still claimed under this token. */
  token?: string;
  /** Keeps the claims, for rows that are filled in two steps. Goes with `token`. */
  keepClaim?: boolean;
}

/** Which fields are answered, and which of them as the JSON they hold. Without `fields` all are. */
export interface Projection<F extends string, R extends string> {
  fields?: readonly F[];
  raw?: readonly R[];
}

/** A row as it is answered: all its fields, or those asked for, null where it lacks one. A `raw` field may hold anything. */
export type Answer<F extends string, R extends string> = [F] extends [never]
  ? Record<string, [R] extends [never] ? string : unknown>
  : { [K in F]: K extends R ? unknown : string | null };

/** What `verify` answers: `Match` when every field holds just the value that was expected. */
export interface Verified {
  verdict: 'Match' | 'Changed' | 'Missing';
  row: Row | null;
}

/** What is known of a table. Expiries are in milliseconds since 1970, null if no row expires. */
export interface TableInfo {
  rows: number;
  fields: number;
  bytes: number;
  earliestExpiry: number | null;
  latestExpiry: number | null;
}

export interface ClaimOptions {
  /** How long the claims last, in milliseconds, 1 to 600,000. */
  ttlMs: number;
  /**
   * The caller's own, 32 random hex digits in lower case, to send a call again or to renew claims: what is claimed under it already
   * is claimed again, and its time begins anew. Without it each call has a new one.
   */
  token?: string;
  /** Claims at most this many. */
  limit?: number;
  /** Claims rows, too, that expire within this many milliseconds. */
  refreshMs?: number;
}

/** What `claim` answers. */
export interface Claim<A> {
  /** What the rows are written with, null if nothing was claimed. */
  token: string | null;
  /** One for each id, in order, null where there is none. */
  rows: (A | null)[];
  /** The ids that this caller is to fetch. */
  claimed: string[];
  /** The ids that someone else is fetching. */
  pending: string[];
}

/** `VEHPRICE.*`: a table of vehicles' prices in one key. Without ids or rows nothing is asked of the server. */
export class VehPrice {
  readonly #ask;

  constructor(driver: Driver) {
    this.#ask = commands(driver);
  }

  /** A row, null if there is none. */
  async get<F extends string = never, R extends string = never>(
    key: string,
    id: Word,
    options: Projection<F, R> = {},
  ): Promise<Answer<F, R> | null> {
    return json(await this.#ask.read('VEHPRICE.GET', [key, id, ...projection(options)]));
  }

  /**
   * Rows in the order of the ids, null where there is none. With `blockMs` it waits until no row that was asked for is both
   * missing and claimed, or for that long (0: no limit); that holds up the connection, so give it one of its own. With `current` the
   * primary is asked, as a replica may not have yet what was acknowledged.
   */
  async mget<F extends string = never, R extends string = never>(
    key: string,
    ids: readonly Word[],
    options: Projection<F, R> & { blockMs?: number; current?: boolean } = {},
  ): Promise<(Answer<F, R> | null)[]> {
    if (ids.length === 0) return [];
    const { blockMs, current = false } = options;
    const { words, rows } = byId(options);
    const command = 'VEHPRICE.MGET';
    const list = ['LIST', idsText(command, ids)];
    if (blockMs !== undefined)
      return rows(json(await this.#ask.wait(command, [key, ...words, 'BLOCK', blockMs, ...list], blockMs)));
    const ask = current ? this.#ask.primary : this.#ask.read;
    return rows(json(await ask(command, [key, ...words, ...list])));
  }

  /** All rows, by id. */
  async getAll<F extends string = never, R extends string = never>(
    key: string,
    options: Projection<F, R> = {},
  ): Promise<Record<string, Answer<F, R>>> {
    return json(await this.#ask.read('VEHPRICE.GETALL', [key, ...projection(options)]));
  }

  /**
   * What has changed since a revision, which is `0` at first and then what this answered last. It is asked of the primary, as
   * revisions are a server's own. `PriceTableCopies` keeps copies by it.
   */
  async changes<F extends string = never>(
    key: string,
    revision: string,
    options: { fields?: readonly F[] } = {},
  ): Promise<Changes> {
    return json(await this.#ask.primary('VEHPRICE.CHANGES', [key, revision, ...projection<F, never>(options)]));
  }

  /** All rows in steps, so that a large table does not hold up others. The primary is asked: a cursor is a server's own. */
  async *scan<F extends string = never>(
    key: string,
    options: { fields?: readonly F[]; count?: number } = {},
  ): AsyncGenerator<[id: string, row: Answer<F, never>], void, undefined> {
    const words = [...(options.count === undefined ? [] : ['COUNT', options.count]), ...projection<F, never>(options)];
    let cursor = '0';
    do {
      const reply = await this.#ask.primary('VEHPRICE.SCAN', [key, cursor, ...words]);
      const step = json<{ cursor: string; rows: Record<string, Answer<F, never>> }>(reply);
      yield* Object.entries(step.rows);
      cursor = step.cursor;
    } while (cursor !== '0');
  }

  /** Sets a row. False if a condition or a token kept it from being stored, or it has expired already. */
  async set(key: string, id: Word, row: Readonly<Record<string, Word>>, options: WriteOptions = {}): Promise<boolean> {
    const pairs = pairsOf('VEHPRICE.SET', id, row);
    const words = [key, id, ...writing(options), 'FIELDS', pairs.length / 2, ...pairs];
    return number(await this.#ask.primary('VEHPRICE.SET', words)) === 1;
  }

  /**
   * Sets rows: a `Map` by id, or pairs of id and row. How many were stored. A field that is undefined or null in a row is stored
   * as missing, with `merge` left as it was. Of each row the `fields` are written; if that is null, all it has.
   */
  mset<F extends string>(
    key: string,
    fields: readonly F[],
    rows: Iterable<readonly [id: Word, row: GivenRow<F>]>,
    options?: WriteOptions,
  ): Promise<number>;
  mset<F extends string, Rows extends Iterable<readonly [id: Word, row: Partial<GivenRow<F>>]>>(
    key: string,
    fields: readonly F[],
    rows: Rows & OnlyOf<F, Rows>,
    options?: WriteOptions,
  ): Promise<number>;
  mset(
    key: string,
    fields: null,
    rows: Iterable<readonly [id: Word, row: GivenRow<string>]>,
    options?: WriteOptions,
  ): Promise<number>;
  async mset(
    key: string,
    fields: readonly string[] | null,
    rows: Iterable<readonly [id: Word, row: object]>,
    options: WriteOptions = {},
  ): Promise<number> {
    const given = [...rows];
    if (given.length === 0) return 0;
    const command = 'VEHPRICE.MSET';
    const form = fields ? ['COLUMNS', columnsText(command, fields, given)] : ['JSON', rowsText(command, given)];
    return number(await this.#ask.primary(command, [key, ...writing(options), ...form]));
  }

  /** Deletes rows, and says how many were there. */
  async del(key: string, ids: readonly Word[]): Promise<number> {
    return ids.length === 0 ? 0 : number(await this.#ask.primary('VEHPRICE.DEL', [key, ...ids]));
  }

  /** Deletes the table. True if there was one. */
  async clear(key: string): Promise<boolean> {
    return number(await this.#ask.primary('VEHPRICE.CLEAR', [key])) === 1;
  }

  /** How many rows there are. */
  async len(key: string): Promise<number> {
    return number(await this.#ask.read('VEHPRICE.LEN', [key]));
  }

  /** In how many milliseconds rows expire, in the order of the ids: -1 never, -2 no such row. */
  async pttl(key: string, ids: readonly Word[]): Promise<number[]> {
    return ids.length === 0 ? [] : list(await this.#ask.read('VEHPRICE.PTTL', [key, ...ids])).map(number);
  }

  /** Whether a row holds what the user saw, and the row that it was compared with. The primary is asked. */
  async verify(key: string, id: Word, expected: Readonly<Record<string, Word>>): Promise<Verified> {
    const pairs = pairsOf('VEHPRICE.VERIFY', id, expected);
    return json(await this.#ask.primary('VEHPRICE.VERIFY', [key, id, ...pairs, 'JSON']));
  }

  /** What is known of the table, null if there is none. */
  async info(key: string): Promise<TableInfo | null> {
    const reply = await this.#ask.read('VEHPRICE.INFO', [key]);
    if (reply === null) return null;
    const found = members(reply);
    const expiry = (name: string) => (found.get(name) === null ? null : number(found.get(name)));
    return {
      rows: number(found.get('rows')),
      fields: number(found.get('fields')),
      bytes: number(found.get('bytes')),
      earliestExpiry: expiry('earliestExpiry'),
      latestExpiry: expiry('latestExpiry'),
    };
  }

  /** What `HGETALL` of each key gives, null where there is none: the hashes of pods that have not moved to a table yet. */
  async mgetHash(keys: readonly string[]): Promise<(Row | null)[]> {
    if (keys.length === 0) return [];
    return list(await this.#ask.read('VEHPRICE.MGETHASH', [...keys])).map((reply) => {
      if (reply === null) return null;
      return Object.fromEntries([...members(reply)].map(([name, value]) => [name, text(value)]));
    });
  }

  /**
   * The rows that are there, and the task to fetch those that are not, unless someone else is at it. A driver that sends it again, as
   * the reply was lost, gets the same claims. If it fails, what it may have claimed is released in the background, unless the
   * token is the caller's own.
   */
  async claim<F extends string = never, R extends string = never>(
    key: string,
    ids: readonly Word[],
    options: ClaimOptions & Projection<F, R>,
  ): Promise<Claim<Answer<F, R>>> {
    if (ids.length === 0) return { token: null, rows: [], claimed: [], pending: [] };
    const token = options.token ?? newToken();
    const words: Word[] = [key, 'PX', options.ttlMs, 'TOKEN', token];
    if (options.limit !== undefined) words.push('LIMIT', options.limit);
    if (options.refreshMs !== undefined) words.push('REFRESH', options.refreshMs);
    const { words: projected, rows } = byId(options);
    const asked = ['LIST', idsText('VEHPRICE.CLAIM', ids)];
    const reply = this.#ask.primary('VEHPRICE.CLAIM', [...words, ...projected, ...asked]);
    if (options.token === undefined) reply.catch((error) => this.#giveUp(key, token, error));
    const claim = json<Claim<never>>(await reply);
    return { ...claim, rows: rows(claim.rows) };
  }

  /** Gives up claims under a token, so that another pod can take them at once: those on these ids, or all. How many. */
  async release(key: string, token: string, ids: readonly Word[] = []): Promise<number> {
    return number(await this.#ask.primary('VEHPRICE.RELEASE', [key, token, ...ids]));
  }

  /** Nobody is to wait for claims that nobody knows of: those of a call whose reply was lost, or was too long to be sent. */
  #giveUp(key: string, token: string, error: unknown): void {
    if (error instanceof ServerError && error.reason !== 'call') return;
    this.release(key, token).catch(() => undefined); // then they expire
  }
}

function pairsOf(command: string, id: Word, row: Readonly<Record<string, Word>>): Word[] {
  return Object.entries(row).flatMap(([field, value]) => {
    checkWord(value, command, () => `field '${field}' of row '${id}'`);
    return [field, value];
  });
}

function projection<F extends string, R extends string>({ fields, raw }: Projection<F, R>): Word[] {
  return [...(fields ? counted('FIELDS', fields) : []), 'JSON', ...(raw?.length ? counted('RAW', raw) : [])];
}

/** `projection` for rows of a list of ids, and how to read them: by column, the fastest, if all are to have the same fields. */
function byId<F extends string, R extends string>(options: Projection<F, R>) {
  type Rows = (Answer<F, R> | null)[];
  if (!options.fields || options.raw?.length) return { words: projection(options), rows: (reply: unknown) => reply as Rows };
  const fields = [...options.fields];
  return {
    words: [...counted('FIELDS', fields), 'COLUMNS'],
    rows: (reply: unknown) => rowsOf(fields, reply as Columns) as Rows,
  };
}

function counted(word: string, names: readonly string[]): Word[] {
  return [word, names.length, ...names];
}

function writing({ condition, merge, expiry, token, keepClaim }: WriteOptions): Word[] {
  const words: Word[] = [];
  if (condition) words.push(condition);
  if (merge) words.push('MERGE');
  if (expiry === 'keep') words.push('KEEPTTL');
  else if (expiry === 'never') words.push('PERSIST');
  else if (expiry?.inMs !== undefined) words.push('PX', expiry.inMs);
  else if (expiry) words.push('PXAT', Number(expiry.at));
  if (token !== undefined) words.push('TOKEN', token);
  if (keepClaim) words.push('KEEPCLAIM');
  return words;
}
