import { type Columns, type Value, columnsText, idsText, rowsOf, rowsText } from './batch.js';
import type { Changes } from './changes.js';
import { type Driver, type Word, commands } from './driver.js';
import { ServerError } from './errors.js';
import { json, list, members, number, text } from './reply.js';
import { newToken } from './token.js';
import { checkWord } from './words.js';

/** A row as stored: field names and values. */
export type Row = Record<string, string>;

/** When rows expire: in a number of milliseconds, at a time, when the replaced row would have expired, or never. */
export type Expiry = { inMs: number; at?: never } | { at: Date | number; inMs?: never } | 'keep' | 'never';

/** A row to write. A field that it lacks is undefined or null. */
export type GivenRow<F extends string> = Readonly<Record<F, Value>>;

/**
 * Checks that rows have the fields `F`. A type that lacks some of `F` must not have other names, which would be mistakes; one
 * that has all of them (optional ones too) may have others, which are not written.
 */
export type OnlyOf<F extends string, Rows> = [OtherNames<F, Rows>] extends [never]
  ? unknown
  : { readonly notAmongTheFields: OtherNames<F, Rows> };

type OtherNames<F extends string, Rows> = Rows extends Iterable<readonly [unknown, infer R]> ? OtherNamesOfRow<F, R> : never;
type OtherNamesOfRow<F extends string, R> =
  R extends GivenRow<F> ? Exclude<keyof R, F> : [F] extends [keyof R] ? never : Exclude<keyof R, F>;

export interface WriteOptions {
  /** `NX`: only rows that don't exist; `XX`: only rows that exist. Checked row by row. */
  condition?: 'NX' | 'XX';
  /** Sets these fields, and keeps the others and the row's expiry. */
  merge?: boolean;
  /** Defaults to the server's setting `price-ttl-ms`, with `merge` to the row's current expiry. */
  expiry?: Expiry;
  /** Only rows still claimed under this token. */
  token?: string;
  /** Keeps the claims, for rows filled in two steps. Requires `token`. */
  keepClaim?: boolean;
}

/** Which fields to return, and which of them as the JSON they hold. `fields` defaults to all. */
export interface Projection<F extends string, R extends string> {
  fields?: readonly F[];
  raw?: readonly R[];
}

/** A row as returned: all its fields, or those asked for, null if it lacks one. A `raw` field may hold anything. */
export type Answer<F extends string, R extends string> = [F] extends [never]
  ? Record<string, [R] extends [never] ? string : unknown>
  : { [K in F]: K extends R ? unknown : string | null };

/** The result of `verify`: `Match` if every field holds exactly the expected value. */
export interface Verified {
  verdict: 'Match' | 'Changed' | 'Missing';
  row: Row | null;
}

/** Facts about a table. Expiries are in milliseconds since 1970, null if no row expires. */
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
   * The caller's own token, 32 random hex digits in lower case, to repeat a call or renew claims: rows already claimed under it
   * are claimed again, and their time starts over. By default each call has a new token.
   */
  token?: string;
  /** Claims at most this many rows. */
  limit?: number;
  /** Also claims rows that expire within this many milliseconds. */
  refreshMs?: number;
}

/** The result of `claim`. */
export interface Claim<A> {
  /** The token to write the rows with, null if nothing was claimed. */
  token: string | null;
  /** One for each id, in order, null if there is none. */
  rows: (A | null)[];
  /** The ids that this caller must fetch. */
  claimed: string[];
  /** The ids that someone else is fetching. */
  pending: string[];
}

/** `VEHPRICE.*`: a table of vehicles' prices in one key. With no ids or rows, the server is not called. */
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
   * Rows in the order of the ids, null if there is none. With `blockMs`, waits until none of the rows is both missing and
   * claimed, for at most that long (0: no limit); this blocks the connection, so use a separate one. With `current`, reads from
   * the primary, as a replica may not have acknowledged writes yet.
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
   * What has changed since a revision: `0` at first, then the one returned last. The call goes to the primary, as each server has
   * revisions of its own. `PriceTableCopies` keeps copies with it.
   */
  async changes<F extends string = never>(
    key: string,
    revision: string,
    options: { fields?: readonly F[] } = {},
  ): Promise<Changes> {
    return json(await this.#ask.primary('VEHPRICE.CHANGES', [key, revision, ...projection<F, never>(options)]));
  }

  /**
   * Iterates over all rows, so that a large table does not delay other clients. Calls go to the primary, as a cursor belongs to
   * one server.
   */
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

  /** Sets a row. False if a condition or the token prevented it, or if its expiry is in the past. */
  async set(key: string, id: Word, row: Readonly<Record<string, Word>>, options: WriteOptions = {}): Promise<boolean> {
    const pairs = pairsOf('VEHPRICE.SET', id, row);
    const words = [key, id, ...writing(options), 'FIELDS', pairs.length / 2, ...pairs];
    return number(await this.#ask.primary('VEHPRICE.SET', words)) === 1;
  }

  /**
   * Sets rows: a `Map` by id, or pairs of id and row. Returns how many were stored. A field that is undefined or null is stored
   * as missing, or with `merge` left unchanged. Writes the `fields` of each row, or all its fields if that is null.
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

  /** Deletes rows, and returns how many there were. */
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

  /** The milliseconds until rows expire, in the order of the ids: -1 never, -2 no such row. */
  async pttl(key: string, ids: readonly Word[]): Promise<number[]> {
    return ids.length === 0 ? [] : list(await this.#ask.read('VEHPRICE.PTTL', [key, ...ids])).map(number);
  }

  /** Whether a row holds what the user saw, and the row compared. The call goes to the primary. */
  async verify(key: string, id: Word, expected: Readonly<Record<string, Word>>): Promise<Verified> {
    const pairs = pairsOf('VEHPRICE.VERIFY', id, expected);
    return json(await this.#ask.primary('VEHPRICE.VERIFY', [key, id, ...pairs, 'JSON']));
  }

  /** Facts about the table, null if there is none. */
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

  /** What `HGETALL` of each key returns, null if there is none: for pods that still keep a hash per vehicle. */
  async mgetHash(keys: readonly string[]): Promise<(Row | null)[]> {
    if (keys.length === 0) return [];
    return list(await this.#ask.read('VEHPRICE.MGETHASH', [...keys])).map((reply) => {
      if (reply === null) return null;
      return Object.fromEntries([...members(reply)].map(([name, value]) => [name, text(value)]));
    });
  }

  /**
   * The existing rows, and claims on the missing ones that nobody else is fetching. If the driver repeats the call because the
   * reply was lost, it gets the same claims. If the call fails, whatever it may have claimed is released in the background,
   * unless the caller passed the token.
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

  /** Releases claims under a token, on these ids or all, so that another pod can claim them at once. Returns how many. */
  async release(key: string, token: string, ids: readonly Word[] = []): Promise<number> {
    return number(await this.#ask.primary('VEHPRICE.RELEASE', [key, token, ...ids]));
  }

  /** Nobody should wait for claims of which no caller knows: those of a call whose reply was lost, or was too long to be sent. */
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

/** `projection` for rows of a list of ids, and how to read them: by column, which is fastest, if all have the same fields. */
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
