import { type Driver, checkWords } from './driver.js';
import { type AcquireOptions, type AcquiredLock, type Lock, type QueryTime, QuoteLock, type RoleIds } from './quotelock.js';

/** What a user is to be quoted for. */
export interface Quote {
  roleIds: RoleIds;
  queryTime: QueryTime;
}

/**
 * The class that services keep their locks with today, on the module: the same keys, the same strings in them, the same
 * three states. Pods with either can run side by side.
 */
export class LockedQuoteInfo {
  readonly #locks: QuoteLock;
  readonly #prefix: string | undefined;

  /** `prefix` is what each key has before the user. */
  constructor(driver: Driver, prefix?: string) {
    this.#locks = new QuoteLock(driver);
    this.#prefix = prefix;
  }

  /** The key of a user's lock. */
  static key(user: string | number, prefix = 'hermes:LockedQuoteInfo:'): string {
    checkWords('user', [user]);
    return `${prefix}${user}`;
  }

  /** The lock, `Effective` or `CloseToExpired`; undefined if there is none. For the screens that never start one. */
  async getById(user: string | number): Promise<Lock | undefined> {
    return (await this.#locks.get(LockedQuoteInfo.key(user, this.#prefix))) ?? undefined;
  }

  /** Sets the lock, whatever lock is there. Where `getById` comes before it, `acquire` does both without a race. */
  async setById(user: string | number, { roleIds, queryTime }: Quote): Promise<void> {
    await this.#locks.set(LockedQuoteInfo.key(user, this.#prefix), roleIds, queryTime);
  }

  /**
   * The lock in force: the one that is there, or else a new one at the server's clock for these roles. A closing one is
   * renewed, unless `ifMissing`. The map uses it so, a vehicle's page with `ifMissing`.
   */
  async acquire(user: string | number, roleIds: RoleIds, options?: AcquireOptions): Promise<AcquiredLock> {
    return this.#locks.acquire(LockedQuoteInfo.key(user, this.#prefix), roleIds, '*', options);
  }
}
