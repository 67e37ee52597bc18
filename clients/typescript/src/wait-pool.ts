import { setTimeout as sleep } from 'node:timers/promises';
import { type Driver, type NodeRedis, commands } from './driver.js';
import { TimeoutError } from './errors.js';
import type { Observed } from './observed.js';
import { Room } from './room.js';
import { isUnavailable } from './unavailable.js';
import { VehPrice } from './vehprice.js';
import { within } from './within.js';

/** The longest that a single wait lasts before checking again. */
const MAX_WAIT_MS = 1000;

/** The pause after a connection could not be made. */
const PAUSE_MS = 100;

/** A field that no row has: the rows are read afterwards anyway, so the reply need not contain them. */
const NO_FIELDS = ['?'] as const;

/** The parts of the drivers used to make other connections. */
interface Duplicable {
  duplicate?(...options: unknown[]): Duplicable;
  on?(event: 'error' | 'end' | 'ready', call: () => void): unknown;
  readonly isCluster?: boolean;
  connect?(): Promise<unknown>;
  disconnect?(): unknown;
  destroy?(): unknown;
  close?(): unknown;
}

export type Connect = () => Driver | Promise<Driver>;

/** Connections for waiting, as nothing else gets through on a connection that waits. They are made when first needed. */
export class WaitPool {
  readonly #connect: Connect;
  readonly #answerMs: number;
  readonly #room: Room;
  readonly #idle: Driver[] = [];
  #isClosed = false;
  /** Whether the driver is closed. It may reconnect. */
  #isEnded = false;

  /** Its connections close with the driver of which they are duplicates. */
  constructor(driver: Driver, connections: number, answerMs: number, connect?: Connect) {
    this.#connect = connect ?? duplicates(driver, answerMs);
    this.#answerMs = answerMs;
    this.#room = new Room(connections);
    const { on } = plain(driver) as Duplicable;
    on?.call(plain(driver), 'end', () => {
      this.#isEnded = true;
      this.#closeIdle();
    });
    on?.call(plain(driver), 'ready', () => {
      this.#isEnded = false;
    });
  }

  /**
   * Waits until none of these rows is both missing and claimed, for a limited time. Returns the ids of the rows that exist then.
   */
  async until(key: string, ids: readonly string[], leftMs: () => number): Promise<string[]> {
    await this.#room.take();
    try {
      return await this.#wait(key, ids, leftMs());
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      // The next command shows whether Redis can be reached at all.
      await sleep(Math.min(PAUSE_MS, leftMs()));
      return [];
    } finally {
      this.#room.give();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#closeIdle();
  }

  async #wait(key: string, ids: readonly string[], leftMs: number): Promise<string[]> {
    if (leftMs <= 0) return [];
    const driver = this.#idle.pop() ?? (await this.#open());
    // Shorter than the driver's time-out.
    const blockMs = Math.ceil(Math.min(MAX_WAIT_MS, leftMs, (commands(driver).cutOffMs ?? Number.POSITIVE_INFINITY) / 2));
    const wait = new VehPrice(driver).mget(key, ids, { fields: NO_FIELDS, blockMs });
    try {
      const rows = await within(blockMs + this.#answerMs, wait, late(this.#answerMs));
      this.#keep(driver);
      return ids.filter((_, at) => rows[at] !== null);
    } catch (error) {
      close(driver); // it may still be waiting
      throw error;
    }
  }

  async #open(): Promise<Driver> {
    const opening = (async () => this.#connect())();
    try {
      return await within(this.#answerMs, opening, late(this.#answerMs));
    } catch (error) {
      opening.then(close, () => undefined); // it comes too late
      throw error;
    }
  }

  #keep(driver: Driver): void {
    if (this.#isClosed || this.#isEnded) close(driver);
    else this.#idle.push(driver);
  }

  #closeIdle(): void {
    for (const driver of this.#idle.splice(0)) close(driver);
  }
}

function late(ms: number): () => Error {
  return () => new TimeoutError(`Redis did not answer within ${ms} ms`);
}

/** How to make more connections to the driver's server. */
function duplicates(driver: Driver, answerMs: number): Connect {
  if ('around' in driver) {
    const connect = duplicates(driver.driver, answerMs);
    return async () => ({ driver: await connect(), around: driver.around });
  }
  // A pool has connections of its own for calls that wait.
  if ('execute' in driver) return () => driver;
  if (!('duplicate' in driver)) {
    throw new TypeError('a driver that can not be duplicated takes connect, which makes a connection for waiting');
  }
  return async () => {
    const isIoRedis = 'call' in driver;
    const other = (isIoRedis ? likeIoRedis(driver as Duplicable) : (driver as Duplicable).duplicate?.()) as Duplicable &
      NodeRedis;
    other.on?.('error', () => undefined); // the calls report errors
    if (isIoRedis || !other.connect) return other;
    try {
      await within(answerMs, other.connect(), late(answerMs));
      return other;
    } catch (error) {
      close(other); // otherwise it keeps trying
      throw error;
    }
  };
}

/** Commands sent before it is connected are queued until it is. */
function likeIoRedis(driver: Duplicable): Duplicable | undefined {
  const options = { enableOfflineQueue: true };
  return driver.isCluster ? driver.duplicate?.([], options) : driver.duplicate?.(options);
}

function plain(driver: Driver): Exclude<Driver, Observed> {
  return 'around' in driver ? plain(driver.driver) : driver;
}

function close(driver: Driver): void {
  const connection = plain(driver) as Duplicable;
  if ('execute' in connection) return;
  const end = connection.destroy ?? connection.disconnect ?? connection.close;
  end?.call(connection);
}
