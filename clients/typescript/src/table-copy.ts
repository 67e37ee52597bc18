import { rowsOf } from './batch.js';
import type { Changes } from './changes.js';
import { Expiries } from './expiries.js';
import { RowMap } from './row-map.js';

/** The size of a row without its texts: an object, and an entry of a `Map`. */
const ROW_BYTES = 80;
/** The size of a text without its characters. */
const TEXT_BYTES = 28;

const NO_TABLE = '0';

/** The rows of a table as the server last sent them. They are made once, on arrival, and frozen. */
export class TableCopy<R extends object> {
  #revision = NO_TABLE;
  readonly #expiries: Expiries;
  #rows = new Map<string, R>();
  /** The rows as given to a caller. From then on they are not changed, but copied first. */
  #view: RowMap<R> | undefined;
  #rowBytes = 0;
  /** How far the server's clock is ahead of this process's monotonic clock. */
  #clockAhead = 0;

  /** `common`: when most of the rows expire. */
  private constructor(common: number) {
    this.#expiries = new Expiries(common);
  }

  /**
   * The copy with the changes applied, requested at `sentAt` of `performance.now()`: the same copy, or a new one if the whole
   * table was sent.
   */
  static updated<R extends object>(copy: TableCopy<R> | undefined, changes: Changes, sentAt: number): TableCopy<R> {
    const updated = copy && !changes.whole ? copy : new TableCopy<R>(commonExpiry(changes));
    updated.#update(changes, sentAt);
    return updated;
  }

  /** The revision to pass to the next `CHANGES`. */
  get revision(): string {
    return this.#revision;
  }

  /** Whether the server has no such table. */
  get isOfNoTable(): boolean {
    return this.#revision === NO_TABLE;
  }

  /** About how much memory it takes. */
  get bytes(): number {
    return this.#rowBytes + this.#expiries.bytes;
  }

  /** The rows of these ids. */
  rows(ids: readonly string[]): (R | null)[] {
    const found = new Array<R | null>(ids.length);
    for (let at = 0; at < ids.length; at += 1) found[at] = this.#rows.get(ids[at] as string) ?? null;
    return found;
  }

  /** The same rows if all are there and none has expired since, otherwise undefined. */
  unexpired(ids: readonly string[]): R[] | undefined {
    // As if the server had read its clock when the request was sent: so this is slightly ahead rather than behind.
    const now = performance.now() + this.#clockAhead;
    const mayExpire = this.#expiries.earliest <= now;
    const found = new Array<R>(ids.length);
    for (let at = 0; at < ids.length; at += 1) {
      const id = ids[at] as string;
      const row = this.#rows.get(id);
      if (row === undefined || (mayExpire && this.#expiries.of(id) <= now)) return undefined;
      found[at] = row;
    }
    return found;
  }

  /** All rows, the same map until something changes. */
  all(): ReadonlyMap<string, R> {
    this.#view ??= new RowMap(this.#rows);
    return this.#view;
  }

  #update({ revision, now, groups, deleted }: Changes, sentAt: number): void {
    if (groups.length || deleted.length) this.#detach();
    for (const id of deleted) this.#delete(id);
    for (const { expiresAt, fields, ids, columns } of groups) {
      const rows = rowsOf(fields, { missing: [], columns }) as R[];
      const at = expiresAt ?? Number.POSITIVE_INFINITY;
      for (const [place, id] of ids.entries()) this.#set(id, Object.freeze(rows[place] as R), at);
    }
    const expired = this.#expiries.expired(this.#rows, now);
    if (expired.length) this.#detach();
    for (const id of expired) this.#delete(id);
    this.#clockAhead = now - sentAt;
    this.#revision = revision;
  }

  #set(id: string, row: R, at: number): void {
    const before = this.#rows.get(id);
    if (before) this.#rowBytes -= bytesOf(id, before);
    this.#rowBytes += bytesOf(id, row);
    this.#rows.set(id, row);
    this.#expiries.set(id, at);
  }

  #delete(id: string): void {
    const before = this.#rows.get(id);
    if (!before) return;
    this.#rowBytes -= bytesOf(id, before);
    this.#rows.delete(id);
    this.#expiries.delete(id);
  }

  /** Leaves the rows to the caller that has them, and continues with a copy. */
  #detach(): void {
    if (!this.#view) return;
    this.#rows = new Map(this.#rows);
    this.#view = undefined;
  }
}

function commonExpiry({ groups }: Changes): number {
  const largest = groups.reduce<Changes['groups'][number] | undefined>(
    (largest, group) => (largest && largest.ids.length >= group.ids.length ? largest : group),
    undefined,
  );
  return largest?.expiresAt ?? Number.POSITIVE_INFINITY;
}

function bytesOf(id: string, row: object): number {
  let bytes = ROW_BYTES + TEXT_BYTES + id.length;
  for (const value of Object.values(row)) bytes += TEXT_BYTES + (value === null ? 0 : (value as string).length);
  return bytes;
}
