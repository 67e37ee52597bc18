import { type Driver, type Word, commands } from './driver.js';
import { json, number } from './reply.js';
import { checkWords } from './words.js';

/** `Effective`, or `CloseToExpired` when nothing new should start with the lock. */
export type State = 'Effective' | 'CloseToExpired';

/** What `acquire` came to: the caller's lock is the first, or took the place of a closing one, or another is in force. */
export type Outcome = 'Created' | 'Refreshed' | 'Held';

/** A user's lock: the moment and the roles that prices are asked for. */
export interface Lock {
  roleIds: string[];
  /** As it was given, RFC 3339. */
  queryTime: string;
  state: State;
}

/** The lock in force after `acquire`. */
export interface AcquiredLock extends Lock {
  outcome: Outcome;
}

/** Ids of roles. Numbers are kept as the digits JavaScript writes, so ids of more than 15 digits must be strings. */
export type RoleIds = readonly Word[];

/** A moment: RFC 3339 with an offset, or a `Date`, or `'*'` for the server's clock. */
export type QueryTime = string | Date;

/** What a new lock has; the server's settings apply to what is left out. */
export interface LockOptions {
  /** How long it lives, in milliseconds. */
  ttlMs?: number;
  /** The end of that time in which it is `CloseToExpired`, in milliseconds. */
  bufferMs?: number;
  /** How far `'*'` is behind the server's clock, in milliseconds. */
  lagMs?: number;
  /** Floors the moment to a multiple of this many seconds, so that users share moments. */
  alignSeconds?: number;
}

export interface SetLockOptions extends LockOptions {
  /** `NX`: only if the key is not there; `XX`: only if it is. */
  condition?: 'NX' | 'XX';
}

export interface AcquireOptions extends LockOptions {
  /** Leaves a closing lock alone. */
  ifMissing?: boolean;
}

/** `QUOTELOCK.*`: one user's price lock. `user` is the whole key. */
export class QuoteLock {
  readonly #ask;

  constructor(driver: Driver) {
    this.#ask = commands(driver);
  }

  /** The lock and its state, at the moment `at` if that is passed; null if there is none. Never writes; the primary is asked. */
  async get(user: string, options: { at?: QueryTime } = {}): Promise<Lock | null> {
    const at = options.at === undefined ? [] : ['AT', moment(options.at)];
    return json(await this.#ask.primary('QUOTELOCK.GET', [user, ...at, 'JSON']));
  }

  /** Get-or-set in one step: of any number of callers that race one creates or renews, and all get the same lock. */
  async acquire(user: string, roleIds: RoleIds, queryTime: QueryTime = '*', options: AcquireOptions = {}): Promise<AcquiredLock> {
    const command = 'QUOTELOCK.ACQUIRE';
    const words = [...newLock(command, user, roleIds, queryTime, options), ...(options.ifMissing ? ['IFMISSING'] : [])];
    return json(await this.#ask.primary(command, [...words, 'JSON']));
  }

  /** Sets the lock, whatever lock is there. False if the condition was not met. */
  async set(user: string, roleIds: RoleIds, queryTime: QueryTime = '*', options: SetLockOptions = {}): Promise<boolean> {
    const command = 'QUOTELOCK.SET';
    const words = [...newLock(command, user, roleIds, queryTime, options), ...(options.condition ? [options.condition] : [])];
    return (await this.#ask.primary(command, words)) !== null;
  }

  /** Deletes the lock, with `ifEq` only while it holds that very `queryTime`. True if it was deleted. */
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
