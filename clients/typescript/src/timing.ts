import type { Lock, RoleIds } from './quotelock.js';
import { type Part, tableKey } from './table-key.js';
import type { Expiry } from './vehprice.js';
import { checkWords } from './words.js';

/** What tells a moment: any lock. */
export interface Moment {
  /** RFC 3339. */
  queryTime: string;
}

/** A moment that is not in force yet. */
export interface NextMoment extends Moment {
  /** From when on new locks are on it. */
  since: Date;
}

/** What stands in for a lock while Redis is down: a moment and roles that upstream can be asked for, and that nothing holds. */
export interface UnlockedLock extends Lock {
  unlocked: true;
}

/** A table: its key, and when rows written to it expire. */
export interface PriceTable {
  key: string;
  expiry: Expiry;
  /** True for that of an `UnlockedLock`, which is neither read nor written to. */
  unlocked?: boolean;
}

/** The server's settings, the same in all pods. */
export interface TimingOptions {
  /** `lock-ttl-ms`: how long a lock lives. */
  ttlMs: number;
  /** `lock-align-s`, in milliseconds: a moment is a multiple of it, so that users share moments and tables. 0: each user has a moment. */
  alignMs: number;
  /**
   * `lock-lag-ms`: how far a moment is behind the server's clock. Above the time upstream takes to commit and the clocks'
   * differences; and where tables are filled before users are on them, above what that takes, too.
   */
  lagMs: number;
  /** `lock-buffer-ms`: the end of a lock's life in which it is `CloseToExpired`. Without it 60,000, or the ttl if that is shorter. */
  bufferMs?: number;
}

/** 9999-12-31, the last day that a row can expire. */
const END_OF_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const RFC_3339 = /^(\d{4}-\d\d-\d\d)[t ](\d\d:\d\d):(\d\d)(?:\.(\d+))?(?:z|([+-])([01]\d|2[0-3]):([0-5]\d))$/i;

/** The longest text of a moment that the server takes. */
const MAX_LENGTH = 64;

/** By how much this pod's clock may differ from the server's. */
const MAX_SKEW_MS = 1000;

/**
 * How long locks live and which moments they are on. It names tables after moments and says when their rows expire, so that no pod
 * and no screen does so in a way of its own.
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
    // A longer one would give locks that are closing at birth, and the server refuses it.
    check('alignMs', alignMs, alignMs <= ttlMs - bufferMs, 'at most ttlMs less bufferMs');
    check('lagMs', lagMs, lagMs >= 0, 'whole milliseconds from 0 on');
    this.ttlMs = ttlMs;
    this.alignMs = alignMs;
    this.lagMs = lagMs;
    this.bufferMs = bufferMs;
  }

  /**
   * What `acquire` is called with, so that its moments are those that are expected here. The ttl and the buffer are the server's
   * settings: sent with each call they would be stored with each lock.
   */
  get lockOptions(): { lagMs: number; alignSeconds?: number } {
    const { lagMs, alignMs } = this;
    return alignMs === 0 ? { lagMs } : { lagMs, alignSeconds: alignMs / 1000 };
  }

  /** The table of a lock's moment, with these parts in its name: all that upstream's answer depends on besides, such as roles. */
  table(lock: Moment & { unlocked?: boolean }, name: string, ...parts: Part[]): PriceTable {
    const table = { key: this.tableKey(lock, name, ...parts), expiry: { at: this.expiryOf(lock) } };
    return lock.unlocked ? { ...table, unlocked: true } : table;
  }

  /** The table's key: `name:{moment}:part:part`. No two sets of parts share one, and all tables of a moment are in one slot of a Cluster. */
  tableKey(lock: Moment, name: string, ...parts: Part[]): string {
    return tableKey(lock.queryTime, name, parts);
  }

  /**
   * When rows of a lock's moment expire: not before any lock on it. The last one on moment `m` begins before `m + align + lag`, and
   * lives for the ttl.
   */
  expiryOf(lock: Moment): Date {
    return new Date(Math.min(timeOf(lock.queryTime) + this.#lastsMs, END_OF_TIME));
  }

  /** The moment of locks that begin then. */
  momentAt(now: Date): string {
    return this.#floor(now.getTime() - this.lagMs).toISOString();
  }

  /** The moment after that one. Between the moment itself and `since` upstream can be asked for it, and no user is on it. */
  nextMoment(now: Date): NextMoment {
    if (this.alignMs === 0) throw new RangeError('without alignMs each user has a moment, and none is the next');
    const next = new Date(this.#floor(now.getTime() - this.lagMs).getTime() + this.alignMs);
    return { queryTime: next.toISOString(), since: new Date(next.getTime() + this.lagMs) };
  }

  /**
   * For a screen that goes on while Redis is down. `seen` is the moment that the app sent back, of a quote under the same roles: it is
   * kept while a lock on it could be in force. Otherwise it is the moment of this pod's clock.
   */
  unlocked(roleIds: RoleIds, { seen, now = new Date() }: { seen?: string | undefined; now?: Date } = {}): UnlockedLock {
    checkWords(roleIds, 'unlocked', 'role id');
    const queryTime = seen !== undefined && this.#mayBeInForce(seen, now) ? seen : this.momentAt(now);
    // Whole seconds, cut off towards 0, as the server counts them.
    const ageMs = Math.trunc((now.getTime() - timeOf(queryTime)) / 1000) * 1000;
    const state = ageMs > this.ttlMs - this.bufferMs ? 'CloseToExpired' : 'Effective';
    return { roleIds: roleIds.map(String), queryTime, state, unlocked: true };
  }

  /** An app may send anything. */
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

/** In milliseconds since 1970, not a number if it is no moment. It is what the server takes, and what it takes it for. */
function parsed(moment: string): number {
  const [, date, minute, second, fraction = '', sign, hours, minutes] =
    (moment.length <= MAX_LENGTH && RFC_3339.exec(moment)) || [];
  // A leap second is the first one of the next minute.
  const isLeap = second === '60';
  const text = `${date}T${minute}:${isLeap ? '59' : second}.${fraction.padEnd(3, '0').slice(0, 3)}Z`;
  const time = Date.parse(text);
  // Days and hours that there are not JavaScript takes for others.
  if (Number.isNaN(time) || new Date(time).toISOString() !== text) return Number.NaN;
  const offsetMs = sign ? Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000 : 0;
  return time + (isLeap ? 1000 : 0) - offsetMs;
}

function check(name: string, value: unknown, isRight: boolean, expected: string): void {
  if (!Number.isSafeInteger(value) || !isRight) throw new RangeError(`${name} takes ${expected}, not ${value}`);
}
