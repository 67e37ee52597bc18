import { glide } from './drivers/glide.js';
import { ioredis } from './drivers/ioredis.js';
import { nodeRedis } from './drivers/node-redis.js';
import { serverError } from './errors.js';
import type { Observed } from './observed.js';
import { type Word, checkWords } from './words.js';

export type { Word };

/** A client or a Cluster of ioredis or iovalkey. */
export interface IoRedis {
  call(command: string, args: Word[]): Promise<unknown>;
  /** Takes a command object, which only the driver makes. */
  sendCommand(command: never): unknown;
}

/** A client or a pool of node-redis. */
export interface NodeRedis {
  sendCommand(args: string[]): Promise<unknown>;
}

/** A Cluster of node-redis. */
export interface NodeRedisCluster {
  readonly masters: unknown;
  sendCommand(firstKey: string, isReadonly: boolean, args: string[]): Promise<unknown>;
}

/** A client or a cluster client of Valkey GLIDE. */
export interface Glide {
  customCommand(args: string[]): Promise<unknown>;
}

/** Any other way to reach a server. It is passed the command's words, its first key, and whether a replica may answer. */
export type Send = (words: string[], key: string, readOnly: boolean) => Promise<unknown>;

/** What commands are sent through. It connects, reconnects and closes by itself. */
export type Driver = IoRedis | NodeRedis | NodeRedisCluster | Glide | Send | Observed;

/** Sends a command. Its key is the first argument; `VEHPRICE.MGETHASH` has only keys. */
export type Ask = (command: string, args: Word[]) => Promise<unknown>;

/** The ways to send a command through a driver. */
export interface Commands {
  /** For reads that may be slightly old: a driver that reads from replicas may ask one. */
  read: Ask;
  /** For writes, and for reads that must be current: goes to the primary. */
  primary: Ask;
  /**
   * For calls that wait up to `blockMs`, or without limit if that is 0. Goes to the primary, as a replica replies at once.
   * Extends the driver's time-out by as much; if that is not possible, fails before anything is sent.
   */
  wait: (command: string, args: Word[], blockMs: number) => Promise<unknown>;
  /** After how long the driver cuts off calls that wait, if it does. */
  cutOffMs: number | undefined;
}

/** How to send a command. */
export interface Sending {
  /** Whether a replica may answer. */
  readOnly: boolean;
  /** How long the server may wait before it replies; 0: no limit. */
  blockMs?: number;
}

/** How a kind of driver sends. */
export interface Transport {
  /** The prefix that the driver adds to each key of the commands it knows. */
  keyPrefix: string;
  /** After how long the driver cuts off calls that wait, if it does. */
  cutOffMs?: number | undefined;
  send(command: string, args: Word[], how: Sending): Promise<unknown>;
}

export function commands(driver: Driver): Commands {
  if ('around' in driver) return aroundEach(driver);
  const { keyPrefix, cutOffMs, send } = transportOf(driver);
  const ask = async (command: string, args: Word[], how: Sending) => {
    checkWords(args, command, 'argument');
    try {
      return await send(command, keyPrefix === '' ? args : withPrefix(keyPrefix, command, args), how);
    } catch (error) {
      throw serverError(error, command);
    }
  };
  return {
    read: (command, args) => ask(command, args, { readOnly: true }),
    primary: (command, args) => ask(command, args, { readOnly: false }),
    wait: (command, args, blockMs) => ask(command, args, { readOnly: false, blockMs }),
    cutOffMs,
  };
}

function aroundEach({ driver, around }: Observed): Commands {
  const { read, primary, wait, cutOffMs } = commands(driver);
  const told = (command: string, args: Word[], send: () => Promise<unknown>) => around({ command, key: String(args[0]) }, send);
  return {
    read: (command, args) => told(command, args, () => read(command, args)),
    primary: (command, args) => told(command, args, () => primary(command, args)),
    wait: (command, args, blockMs) => told(command, args, () => wait(command, args, blockMs)),
    cutOffMs,
  };
}

function transportOf(driver: Exclude<Driver, Observed>): Transport {
  if (typeof driver === 'function') {
    return {
      keyPrefix: '',
      send: (command, args, { readOnly }) => driver(wordsOf(command, args), String(args[0]), readOnly),
    };
  }
  if ('call' in driver) return ioredis(driver);
  if ('customCommand' in driver) return glide(driver);
  return nodeRedis(driver);
}

export function wordsOf(command: string, args: readonly Word[]): string[] {
  return [command, ...args.map(String)];
}

function withPrefix(prefix: string, command: string, args: readonly Word[]): Word[] {
  const keys = command === 'VEHPRICE.MGETHASH' ? args.length : 1;
  return args.map((arg, at) => (at < keys ? `${prefix}${arg}` : arg));
}
