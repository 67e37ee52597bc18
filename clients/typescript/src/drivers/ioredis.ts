import type { IoRedis, Sending, Transport } from '../driver.js';
import type { Word } from '../words.js';
import { cutOffOf, prefixOf, refuseIfCutOff } from './time-out.js';

/** The parts used of an ioredis or iovalkey client or Cluster. */
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

/** The parts used of the driver's command objects. */
interface Command {
  isReadOnly?: boolean;
  getKeys(): Word[];
  setTimeout(ms: number): void;
}

/**
 * ioredis does not know where the keys of these commands are, whether they only read, or that they may wait. So each command is
 * made as `call` makes it, given that information, and then sent. Otherwise a Cluster would call any node and follow redirects,
 * which fails in a pipeline.
 */
export function ioredis(driver: IoRedis): Transport {
  const client = driver as Client;
  const { options = {}, isCluster = false } = client;
  const socketTimeout = options.socketTimeout ?? options.redisOptions?.socketTimeout;
  // Returns what `call` would send.
  const maker = {
    options: { showFriendlyErrorStack: options.showFriendlyErrorStack },
    sendCommand: (command: Command) => command,
  };
  const call = client.call as unknown as (this: typeof maker, command: string, args: Word[]) => Command;
  // With one server, a pipeline needs no key. A call that waits would block the whole pipeline.
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

/** Makes `commandTimeout` count from the end of the wait. */
function putOffTimeout(command: Command, blockMs: number): void {
  const setTimeout = command.setTimeout;
  command.setTimeout = (ms) => {
    if (blockMs > 0) setTimeout.call(command, ms + blockMs);
  };
}
