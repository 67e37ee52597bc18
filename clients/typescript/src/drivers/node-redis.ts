import { type NodeRedis, type NodeRedisCluster, type Transport, wordsOf } from '../driver.js';
import { cutOffOf, prefixOf, refuseIfCutOff } from './time-out.js';

interface Options {
  socket?: { socketTimeout?: number };
}

/** The parts used of a client besides sending. */
interface Client extends NodeRedis {
  readonly options?: Options;
  /** The prefix that node-redis 6 adds to the keys of the commands it knows. */
  readonly _keyPrefix?: unknown;
}

/** The same for a pool. */
interface Pool extends Client {
  execute(use: (client: Client) => Promise<unknown>): Promise<unknown>;
}

/** The same for a Cluster. */
interface Cluster extends NodeRedisCluster {
  readonly _options?: { defaults?: Options };
  readonly _keyPrefix?: unknown;
}

/**
 * The `timeout` of `commandOptions` covers only the time until a command is sent. A `socketTimeout` would close the connection of
 * a call that waits longer.
 */
export function nodeRedis(driver: NodeRedis | NodeRedisCluster): Transport {
  const keyPrefix = prefixOf((driver as Client | Cluster)._keyPrefix);
  const check = (command: string, blockMs: number | undefined, options: Options | undefined) =>
    refuseIfCutOff(command, blockMs, 'socketTimeout', options?.socket?.socketTimeout);
  if ('masters' in driver) {
    const cluster = driver as Cluster;
    return {
      keyPrefix,
      cutOffMs: cutOffOf(cluster._options?.defaults?.socket?.socketTimeout),
      send: (command, args, { readOnly, blockMs }) => {
        check(command, blockMs, cluster._options?.defaults);
        return cluster.sendCommand(String(args[0]), readOnly, wordsOf(command, args));
      },
    };
  }
  const client = driver as Client | Pool;
  return {
    keyPrefix,
    cutOffMs: cutOffOf(client.options?.socket?.socketTimeout),
    send: (command, args, { blockMs }) => {
      // A pool expects a promise that rejects, not a function that throws.
      const send = async (through: Client) => {
        check(command, blockMs, through.options);
        return through.sendCommand(wordsOf(command, args));
      };
      return blockMs !== undefined && 'execute' in client ? client.execute(send) : send(client);
    },
  };
}
