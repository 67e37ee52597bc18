import type { IoRedis, Sending, Transport } from '../driver.js';
import type { Word } from '../words.js';
import { cutOffOf, prefixOf, refuseIfCutOff } from './time-out.js';

/** What is used of a client or a Cluster of ioredis or iovalkey. */
interface Client extends IoRedis {
  readonly isCluster?: boolean;
  readonly options?: Options;
  sendCommand(command: Command): Promise<unknown>;
}

interface Options {
  keyPrefix?: unknown;
  enableAutoPipelining?: boolean;
  showFriendlyErrorStack?: boolean;
  socketTimeout?: number;
  /** A Cluster's, for its nodes. */
  redisOptions?: { socketTimeout?: number };
}

/** What is used of the driver's own commands. */
interface Command {
  isReadOnly?: boolean;
  getKeys(): Word[];
  setTimeout(ms: number): void;
}

/**
 * ioredis does not know where these commands have their keys, whether they only read, and that they may wait. So each is made as its
 * `call` makes it, told so, and then sent: without that a Cluster asks any node, and follows when it is sent elsewhere, which fails
 * in a pipeline.
 */
export function ioredis(driver: IoRedis): Transport {
  const client = driver as Client;
  const { options = {}, isCluster = false } = client;
  const socketTimeout = options.socketTimeout ?? options.redisOptions?.socketTimeout;
  // What `call` would send, it hands back instead.
  const maker = {
    options: { showFriendlyErrorStack: options.showFriendlyErrorStack },
    sendCommand: (command: Command) => command,
  };
  const call = client.call as unknown as (this: typeof maker, command: string, args: Word[]) => Command;
  // A pipeline of one server needs no key. What waits would hold up the whole pipeline.
  const isPiped = (blockMs?: number) => options.enableAutoPipelining && !isCluster && blockMs === undefined;
  return {
    keyPrefix: prefixOf(options.keyPrefix),
    cutOffMs: cutOffOf(socketTimeout),
    send: (name, args, { readOnly, blockMs }: Sending) => {
      if (isPiped(blockMs)) return client.call(name, args);
      refuseIfCutOff(name, blockMs, 'socketTimeout', socketTimeout);
      const command = call.call(maker, name, args);
      const keys = args.slice(0, 1);
      command.getKeys = () => keys;
      command.isReadOnly = readOnly;
      if (blockMs !== undefined) putOffTimeout(command, blockMs);
      return client.sendCommand(command);
    },
  };
}

/** `commandTimeout` counts from the end of the wait. */
function putOffTimeout(command: Command, blockMs: number): void {
  const setTimeout = command.setTimeout;
  command.setTimeout = (ms) => {
    if (blockMs > 0) setTimeout.call(command, ms + blockMs);
  };
}
