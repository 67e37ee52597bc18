import { type Driver, type Word, commands } from './driver.js';
import { json, number } from './reply.js';
import { checkWords } from './words.js';

/** `Effective`, or `CloseToExpired` when nothing new should start with the lock. */
export type State = 'Effective' | 'CloseToExpired';

/**
 * The result of `acquire`: the caller's lock was created, or replaced one that was `CloseToExpired`, or another lock is in force.
 */
export type Outcome = 'Created' | 'Refreshed' | 'Held';

/** A user's lock: the `queryTime` and the roles for which prices are fetched. */
export interface Lock {
  roleIds: string[];
  /** RFC 3339, exactly as stored. */
  queryTime: string;
  state: State;
}

/** The lock in force after `acquire`. */
export interface AcquiredLock extends Lock {
  outcome: Outcome;
}

/** Role ids. Numbers are stored as the digits that JavaScript writes, so ids of more than 15 digits must be strings. */
export type RoleIds = readonly Word[];

/** A timestamp: RFC 3339 with an offset, a `Date`, or `'*'` for the server's clock. */
export type QueryTime = string | Date;

/** Options of a new lock. The server's settings apply to those left out. */
export interface LockOptions {
  /** How long it lives, in milliseconds. */
  ttlMs?: number;
  /** How long before its end it becomes `CloseToExpired`, in milliseconds. */
  bufferMs?: number;
  /** How far `'*'` is behind the server's clock, in milliseconds. */
  lagMs?: number;
  /** Rounds `queryTime` down to a multiple of this many seconds, so that users share it. */
  alignSeconds?: number;
}

export interface SetLockOptions extends LockOptions {
  /** `NX`: only if the key does not exist; `XX`: only if it does. */
  condition?: 'NX' | 'XX';
}

export interface AcquireOptions extends LockOptions {
  /** Does not renew a lock that is `CloseToExpired`. */
  ifMissing?: boolean;
}

/** `QUOTELOCK.*`: one user's price lock. `user` is the whole key. */
export class QuoteLock {
  readonly #ask;

  constructor(driver: Driver) {
    this.#ask = commands(driver);
  }

  /**
   * The lock and its state (at the time `at`, if passed), or null if there is none. Never writes. The call goes to the primary.
   */
  async get(user: string, options: { at?: QueryTime } = {}): Promise<Lock | null> {
    const at = options.at === undefined ? [] : ['AT', moment(options.at)];
    return json(await this.#ask.primary('QUOTELOCK.GET', [user, ...at, 'JSON']));
  }

  /** Get-or-set in one step: however many callers race, one creates or renews the lock, and all receive the same one. */
  async acquire(user: string, roleIds: RoleIds, queryTime: QueryTime = '*', options: AcquireOptions = {}): Promise<AcquiredLock> {
    const command = 'QUOTELOCK.ACQUIRE';
    const words = [...newLock(command, user, roleIds, queryTime, options), ...(options.ifMissing ? ['IFMISSING'] : [])];
    return json(await this.#ask.primary(command, [...words, 'JSON']));
  }

  /** Sets the lock, replacing an existing one. False if the condition was not met. */
  async set(user: string, roleIds: RoleIds, queryTime: QueryTime = '*', options: SetLockOptions = {}): Promise<boolean> {
    const command = 'QUOTELOCK.SET';
    const words = [...newLock(command, user, roleIds, queryTime, options), ...(options.condition ? [options.condition] : [])];
    return (await this.#ask.primary(command, words)) !== null;
  }

  /** Deletes the lock; with `ifEq`, only if it has exactly that `queryTime`. True if it was deleted. */
  async del(user: string, options: { ifEq?: string } = {}): Promise<boolean> {
    const words = options.ifEq === undefined ? [] : ['IFEQ', options.ifEq];
    return number(await this.#ask.primary('QUOTELOCK.DEL', [user, ...words])) === 1;
  }
}

function newLock(command: string, user: string, roleIds: RoleIds, queryTime: QueryTime, options: LockOptions): Word[] {
  checkWords(roleIds, command, 'role id');
  const { ttlMs, bufferMs, lagMs, alignSeconds } = options;
  const words: Word[] = [user, JSON.stringify(roleIds.map(String)), moment(queryTime)];
  if (ttlMs !== undefined) words.push('PX', ttlMs);
  if (bufferMs !== undefined) words.push('PBUFFER', bufferMs);
  if (lagMs !== undefined) words.push('LAG', lagMs);
  if (alignSeconds !== undefined) words.push('ALIGN', alignSeconds);
  return words;
}

function moment(time: QueryTime): string {
  return typeof time === 'string' ? time : time.toISOString();
}
