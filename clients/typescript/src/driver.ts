import { serverError } from './errors.js';

/** A client or a Cluster of ioredis. */
export interface IoRedis {
  call(command: string, args: Word[]): Promise<unknown>;
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

/** Any other way to a server: sends a command's words, and is told its first key and whether it only reads. */
export type Send = (words: string[], key: string, readOnly: boolean) => Promise<unknown>;

/** What commands are sent through. Connecting, reconnecting and closing are its own affair. */
export type Driver = IoRedis | NodeRedis | NodeRedisCluster | Send;

/** What an argument may be given as. */
export type Word = string | number;

/** Sends a command, its key first among the arguments. */
export type Ask = (command: string, args: Word[]) => Promise<unknown>;

/** The two ways to send through a driver: what only reads, and what writes. */
export interface Commands {
  read: Ask;
  write: Ask;
}

export function commands(driver: Driver): Commands {
  const send = sender(driver);
  const ask =
    (readOnly: boolean): Ask =>
    async (command, args) => {
      checkWords(command, args);
      try {
        return await send(command, args, readOnly);
      } catch (error) {
        throw serverError(error, command);
      }
    };
  return { read: ask(true), write: ask(false) };
}

/** Types end where JSON from elsewhere begins: `undefined` would be sent as some text, and stored. */
export function checkWords(what: string, args: readonly unknown[]): void {
  const isWord = (arg: unknown) => typeof arg === 'string' || typeof arg === 'number';
  if (!args.every(isWord)) throw new TypeError(`${what} takes strings and numbers alone`);
}

function sender(driver: Driver): (command: string, args: Word[], readOnly: boolean) => Promise<unknown> {
  const words = (command: string, args: Word[]) => [command, ...args.map(String)];
  const key = (args: Word[]) => String(args[0]);
  if (typeof driver === 'function') {
    return (command, args, readOnly) => driver(words(command, args), key(args), readOnly);
  }
  // ioredis takes numbers, and of thousands of ids each copy shows.
  if ('call' in driver) return (command, args) => driver.call(command, args);
  if ('masters' in driver) {
    return (command, args, readOnly) => driver.sendCommand(key(args), readOnly, words(command, args));
  }
  return (command, args) => driver.sendCommand(words(command, args));
}
