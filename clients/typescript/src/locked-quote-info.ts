import type { Driver } from './driver.js';
import { type AcquireOptions, type AcquiredLock, type QueryTime, QuoteLock, type RoleIds, type State } from './quotelock.js';
import { isUnavailable } from './unavailable.js';
import { type Word, checkWord } from './words.js';

/** What a user's quotes are based on. */
export interface LockedInfo {
  userId: string;
  roleIds: string[];
  /** RFC 3339. */
  queryTime: string;
}

/** A user's lock. */
export type LockedInfoReturn = Pick<LockedInfo, 'roleIds' | 'queryTime'> & { state: State };

/** The user who owns the lock: the part of the key after the prefix. */
export type UserId = Word;

/** A service's own logger. */
export interface Logger {
  debug(message: string, details: object): void;
  info(message: string, details: object): void;
  warn(message: string, details: object): void;
  error(message: string, details: object): void;
}

export interface BindOptions {
  /** The prefix of each key (default `hermes:LockedQuoteInfo:`). */
  prefix?: string;
  /** Logs locks read (`debug`) and written (`info`), an unavailable Redis (`warn`) and any other failure (`error`). */
  logger?: Logger;
  /** Maps an error of a call to the service's own; `set` covers all calls that write. */
  mapError?: (call: 'get' | 'set', error: unknown) => unknown;
}

export interface QuoteOptions extends AcquireOptions {
  /** The `queryTime` of a new lock. Defaults to the server's clock, so that no pod's clock matters. */
  queryTime?: QueryTime;
}

interface Bound extends BindOptions {
  locks: QuoteLock;
}

/** The classes bound to a client. */
const BOUND = new WeakMap<object, Bound>();

/**
 * A drop-in for the class with which services keep their locks without quotelock: the same calls, the same keys, the same strings
 * in them, the same three states. Pods with either class can run side by side. Bind it to a client once, when the service starts.
 */
export class LockedQuoteInfo {
  /** How long a lock lives, in seconds. A subclass may override this or the field; otherwise the server's settings apply. */
  static readonly TTL_IN_SEC: number | undefined;
  /** The end of that time, in which a lock is `CloseToExpired`, in seconds. */
  static readonly BUFFER_IN_SEC: number | undefined;
  protected readonly TTL_IN_SEC: number | undefined = this.#class.TTL_IN_SEC;
  protected readonly BUFFER_IN_SEC: number | undefined = this.#class.BUFFER_IN_SEC;

  /** `userId` is used for logging. Each call has its own user id, which may contain more, such as a session. */
  constructor(readonly userId?: UserId) {}

  /** Binds this class, and each subclass not bound itself, to a client. */
  static bind(driver: Driver, options: BindOptions = {}): void {
    // biome-ignore lint/complexity/noThisInStatic: a subclass is bound by itself
    BOUND.set(this, { ...options, locks: new QuoteLock(driver) });
  }

  /** The key of a user's lock. */
  static key(userId: UserId, prefix = 'hermes:LockedQuoteInfo:'): string {
    checkWord(userId, 'LockedQuoteInfo', () => 'the user');
    return `${prefix}${userId}`;
  }

  /** The lock, `Effective` or `CloseToExpired`; undefined if there is none. For screens that never create one. */
  async getById(userId: UserId): Promise<LockedInfoReturn | undefined> {
    const lock = await this.#call('get', userId, (locks, key) => locks.get(key));
    this.#log('debug', userId, lock ? `lock is ${lock.state}` : 'no lock', lock ?? {});
    return lock ?? undefined;
  }

  /**
   * Sets the lock, replacing an existing one. If you call `getById` first, use `acquire` instead: it does both without a race.
   */
  async setById(userId: UserId, roleIds: RoleIds, queryTimeInISOString: QueryTime): Promise<void> {
    await this.#call('set', userId, (locks, key) => locks.set(key, roleIds, queryTimeInISOString, this.#lifetime()));
    this.#log('info', userId, 'lock set', { roleIds, queryTime: queryTimeInISOString });
  }

  /**
   * The lock in force: the existing one, or a new one for these roles. Renews a lock that is `CloseToExpired`, unless `ifMissing`
   * is set. Call it without `ifMissing` for the map, with `ifMissing` for a vehicle's page.
   */
  async acquire(userId: UserId, roleIds: RoleIds, options: QuoteOptions = {}): Promise<AcquiredLock> {
    const { queryTime = '*', ...given } = options;
    const lock = await this.#call('set', userId, (locks, key) =>
      locks.acquire(key, roleIds, queryTime, { ...this.#lifetime(), ...given }),
    );
    this.#log(lock.outcome === 'Held' ? 'debug' : 'info', userId, `lock ${lock.outcome}`, lock);
    return lock;
  }

  /** Deletes the lock; with `ifEq`, only if it has exactly that `queryTime`. True if it was deleted. */
  async deleteById(userId: UserId, options?: { ifEq?: string }): Promise<boolean> {
    const wasThere = await this.#call('set', userId, (locks, key) => locks.del(key, options));
    this.#log('info', userId, wasThere ? 'lock deleted' : 'no lock to delete');
    return wasThere;
  }

  #lifetime(): { ttlMs?: number; bufferMs?: number } {
    const { TTL_IN_SEC: ttl, BUFFER_IN_SEC: buffer } = this;
    return { ...(ttl !== undefined && { ttlMs: ttl * 1000 }), ...(buffer !== undefined && { bufferMs: buffer * 1000 }) };
  }

  async #call<T>(call: 'get' | 'set', userId: UserId, ask: (locks: QuoteLock, key: string) => Promise<T>): Promise<T> {
    const { locks, prefix, mapError } = this.#bound();
    try {
      return await ask(locks, LockedQuoteInfo.key(userId, prefix));
    } catch (error) {
      const level = isUnavailable(error) ? 'warn' : 'error';
      this.#log(level, userId, `lock could not be ${call === 'get' ? 'read' : 'written'}`, { error });
      throw mapError ? mapError(call, error) : error;
    }
  }

  #log(level: keyof Logger, userId: UserId, message: string, details: object = {}): void {
    this.#bound().logger?.[level](message, { userId: this.userId ?? userId, ...details });
  }

  /** The binding of this class, or of its nearest bound superclass. */
  #bound(): Bound {
    for (let at: object | null = this.#class; at !== null; at = Object.getPrototypeOf(at)) {
      const bound = BOUND.get(at);
      if (bound) return bound;
    }
    const { name } = this.#class;
    throw new Error(`${name} is not bound to a client: call ${name}.bind(client) when the service starts`);
  }

  get #class(): typeof LockedQuoteInfo {
    return this.constructor as typeof LockedQuoteInfo;
  }
}
