import type { Lock, RoleIds } from './quotelock.js';
import { type Part, tableKey } from './table-key.js';
import type { Expiry } from './vehprice.js';
import { checkWords } from './words.js';

/** Anything with a `queryTime`, such as a lock. */
export interface Moment {
  /** RFC 3339. */
  queryTime: string;
}

/** A `queryTime` that no lock has yet. */
export interface NextMoment extends Moment {
  /** From when on new locks have it. */
  since: Date;
}

/** Stands in for a lock while Redis is down: a `queryTime` and roles to fetch prices for, which nothing locks. */
export interface UnlockedLock extends Lock {
  unlocked: true;
}

/** A table: its key, and when rows written to it expire. */
export interface PriceTable {
  key: string;
  expiry: Expiry;
  /** True for the table of an `UnlockedLock`, which is neither read nor written. */
  unlocked?: boolean;
}

/** The server's settings. They must be the same in all pods. */
export interface TimingOptions {
  /** `lock-ttl-ms`: how long a lock lives. */
  ttlMs: number;
  /**
   * `lock-align-s`, in milliseconds: each `queryTime` is a multiple of it, so that users share it and its tables. 0: each user
   * has their own `queryTime`.
   */
  alignMs: number;
  /**
   * `lock-lag-ms`: how far `queryTime` is behind the server's clock. Set it above the time upstream takes to commit a price plus
   * the clocks' differences; if tables are filled before locks use them, above the time that takes, too.
   */
  lagMs: number;
  /**
   * `lock-buffer-ms`: how long before its end a lock becomes `CloseToExpired`. Defaults to 60,000, or the ttl if that is shorter.
   */
  bufferMs?: number;
}

/** 9999-12-31, the last day on which a row can expire. */
const END_OF_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const RFC_3339 = /^(\d{4}-\d\d-\d\d)[t ](\d\d:\d\d):(\d\d)(?:\.(\d+))?(?:z|([+-])([01]\d|2[0-3]):([0-5]\d))$/i;

/** The longest timestamp that the server accepts. */
const MAX_LENGTH = 64;

/** How much this pod's clock may differ from the server's. */
const MAX_SKEW_MS = 1000;

/**
 * How long locks live, and which `queryTime` they have. It names tables after a `queryTime` and says when their rows expire, so
 * that all pods and screens do this in the same way.
 */
export class Timing {
  readonly ttlMs: number;
  readonly alignMs: number;
  readonly lagMs: number;
  readonly bufferMs: number;

  constructor({ ttlMs, alignMs, lagMs, bufferMs = Math.min(60_000, ttlMs) }: TimingOptions) {
    check('ttlMs', ttlMs, ttlMs >= 1, 'whole milliseconds from 1 on');
    check('bufferMs', bufferMs, bufferMs >= 0 && bufferMs <= ttlMs, 'whole milliseconds from 0 to ttlMs');
    check('alignMs', alignMs, alignMs >= 0 && alignMs % 1000 === 0, 'whole seconds, in milliseconds');
    // With a longer one, a new lock could already be `CloseToExpired`. The server refuses it.
    check('alignMs', alignMs, alignMs <= ttlMs - bufferMs, 'at most ttlMs less bufferMs');
    check('lagMs', lagMs, lagMs >= 0, 'whole milliseconds from 0 on');
    this.ttlMs = ttlMs;
    this.alignMs = alignMs;
    this.lagMs = lagMs;
    this.bufferMs = bufferMs;
  }

  /**
   * Options for `acquire`, so that its locks have the `queryTime` expected here. The ttl and the buffer come from the server's
   * settings: if sent with each call, they would be stored in each lock.
   */
  get lockOptions(): { lagMs: number; alignSeconds?: number } {
    const { lagMs, alignMs } = this;
    return alignMs === 0 ? { lagMs } : { lagMs, alignSeconds: alignMs / 1000 };
  }

  /**
   * The table of a lock's `queryTime`, with these parts in its name: everything else that upstream's answer depends on, such as
   * roles.
   */
  table(lock: Moment & { unlocked?: boolean }, name: string, ...parts: Part[]): PriceTable {
    const table = { key: this.tableKey(lock, name, ...parts), expiry: { at: this.expiryOf(lock) } };
    return lock.unlocked ? { ...table, unlocked: true } : table;
  }

  /**
   * The table's key: `name:{queryTime}:part:part`. No two sets of parts share a key, and all tables of a `queryTime` are in one
   * slot of a Cluster.
   */
  tableKey(lock: Moment, name: string, ...parts: Part[]): string {
    return tableKey(lock.queryTime, name, parts);
  }

  /**
   * When rows of a lock's `queryTime` expire: not before any lock that has it. The last lock with a `queryTime` is created before
   * `queryTime + align + lag`, and lives for the ttl.
   */
  expiryOf(lock: Moment): Date {
    return new Date(Math.min(timeOf(lock.queryTime) + this.#lastsMs, END_OF_TIME));
  }

  /** The `queryTime` of locks created then. */
  momentAt(now: Date): string {
    return this.#floor(now.getTime() - this.lagMs).toISOString();
  }

  /** The `queryTime` after that one. Between that time and `since`, upstream can be asked for it, and no lock has it yet. */
  nextMoment(now: Date): NextMoment {
    if (this.alignMs === 0) throw new RangeError('without alignMs each user has a moment, and none is the next');
    const next = new Date(this.#floor(now.getTime() - this.lagMs).getTime() + this.alignMs);
    return { queryTime: next.toISOString(), since: new Date(next.getTime() + this.lagMs) };
  }

  /**
   * For a screen that goes on while Redis is down. `seen` is the `queryTime` that the app sent back, of a quote for the same
   * roles: it is kept as long as a lock with it could be in force. Otherwise `queryTime` comes from this pod's clock.
   */
  unlocked(roleIds: RoleIds, { seen, now = new Date() }: { seen?: string | undefined; now?: Date } = {}): UnlockedLock {
    checkWords(roleIds, 'unlocked', 'role id');
    const queryTime = seen !== undefined && this.#mayBeInForce(seen, now) ? seen : this.momentAt(now);
    // Whole seconds, truncated toward zero, as on the server.
    const ageMs = Math.trunc((now.getTime() - timeOf(queryTime)) / 1000) * 1000;
    const state = ageMs > this.ttlMs - this.bufferMs ? 'CloseToExpired' : 'Effective';
    return { roleIds: roleIds.map(String), queryTime, state, unlocked: true };
  }

  /** The app may send anything. */
  #mayBeInForce(moment: string, now: Date): boolean {
    const time = parsed(moment);
    const ageMs = now.getTime() - time;
    const isMoment = this.alignMs === 0 || time % this.alignMs === 0;
    return isMoment && ageMs >= this.lagMs - MAX_SKEW_MS && ageMs < this.#lastsMs + MAX_SKEW_MS;
  }

  get #lastsMs(): number {
    return this.alignMs + this.lagMs + this.ttlMs;
  }

  #floor(ms: number): Date {
    return new Date(this.alignMs === 0 ? ms : ms - (ms % this.alignMs));
  }
}

function timeOf(moment: string): number {
  const time = parsed(moment);
  if (Number.isNaN(time)) throw new RangeError(`a moment takes a time of RFC 3339, not '${moment}'`);
  return time;
}

/** In milliseconds since 1970, or `NaN` if it is not a timestamp. It accepts and reads exactly what the server does. */
function parsed(moment: string): number {
  const [, date, minute, second, fraction = '', sign, hours, minutes] =
    (moment.length <= MAX_LENGTH && RFC_3339.exec(moment)) || [];
  // A leap second counts as the first second of the next minute.
  const isLeap = second === '60';
  const text = `${date}T${minute}:${isLeap ? '59' : second}.${fraction.padEnd(3, '0').slice(0, 3)}Z`;
  const time = Date.parse(text);
  // JavaScript reads nonexistent days and hours as other ones.
  if (Number.isNaN(time) || new Date(time).toISOString() !== text) return Number.NaN;
  const offsetMs = sign ? Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000 : 0;
  return time + (isLeap ? 1000 : 0) - offsetMs;
}

function check(name: string, value: unknown, isRight: boolean, expected: string): void {
  if (!Number.isSafeInteger(value) || !isRight) throw new RangeError(`${name} takes ${expected}, not ${value}`);
}
