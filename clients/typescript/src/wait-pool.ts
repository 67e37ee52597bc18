import { setTimeout as sleep } from 'node:timers/promises';
import { type Driver, type NodeRedis, commands } from './driver.js';
import { TimeoutError } from './errors.js';
import type { Observed } from './observed.js';
import { Room } from './room.js';
import { isUnavailable } from './unavailable.js';
import { VehPrice } from './vehprice.js';
import { within } from './within.js';

/** How long a wait lasts at most, before it is looked who else is at it. */
const MAX_WAIT_MS = 1000;

/** The pause after a connection could not be had. */
const PAUSE_MS = 100;

/** No row has it: so a reply says nothing of rows that will be read anyway. */
const NO_FIELDS = ['?'] as const;

/** What is used of the drivers to have other connections. */
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

/** Connections for waiting, as nothing else gets through on one that waits. They are made when they are needed first. */
export class WaitPool {
  readonly #connect: Connect;
  readonly #answerMs: number;
  readonly #room: Room;
  readonly #idle: Driver[] = [];
  #isClosed = false;
  /** Whether the driver is closed. It may connect again. */
  #isEnded = false;

  /** Its connections end with the driver that they are like. */
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

  /** Waits until none of these rows is both missing and claimed, or for a time. Those that are there then. */
  async until(key: string, ids: readonly string[], leftMs: () => number): Promise<string[]> {
    await this.#room.take();
    try {
      return await this.#wait(key, ids, leftMs());
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      // Whether Redis can be reached at all the next command shows.
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
    // Shorter than the driver waits for anything.
    const blockMs = Math.ceil(Math.min(MAX_WAIT_MS, leftMs, (commands(driver).cutOffMs ?? Number.POSITIVE_INFINITY) / 2));
    const wait = new VehPrice(driver).mget(key, ids, { fields: NO_FIELDS, blockMs });
    try {
      const rows = await within(blockMs + this.#answerMs, wait, late(this.#answerMs));
      this.#keep(driver);
      return ids.filter((_, at) => rows[at] !== null);
    } catch (error) {
      close(driver); // it may be waiting still
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

/** How to make other connections to where a driver leads. */
function duplicates(driver: Driver, answerMs: number): Connect {
  if ('around' in driver) {
    const connect = duplicates(driver.driver, answerMs);
    return async () => ({ driver: await connect(), around: driver.around });
  }
  // A pool has connections for what waits by itself.
  if ('execute' in driver) return () => driver;
  if (!('duplicate' in driver)) {
    throw new TypeError('a driver that can not be duplicated takes connect, which makes a connection for waiting');
  }
  return async () => {
    const isIoRedis = 'call' in driver;
    const other = (isIoRedis ? likeIoRedis(driver as Duplicable) : (driver as Duplicable).duplicate?.()) as Duplicable &
      NodeRedis;
    other.on?.('error', () => undefined); // what can't be done the calls tell
    if (isIoRedis || !other.connect) return other;
    try {
      await within(answerMs, other.connect(), late(answerMs));
      return other;
    } catch (error) {
      close(other); // otherwise it goes on trying
      throw error;
    }
  };
}

/** What is sent before it is connected waits until it is. */
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
