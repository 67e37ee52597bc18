import type { Driver } from './driver.js';

/** A command about to be sent. */
export interface SentCommand {
  /** Its name, such as `VEHPRICE.MGET`. */
  command: string;
  /** Its key, the first if it has several, without the driver's prefix. */
  key: string;
}

/** A command that succeeded or failed. */
export interface CommandEvent extends SentCommand {
  /** How long it took, including everything the driver did to send it, in milliseconds. */
  ms: number;
  /** The error of the call: a `ServerError`, or the driver's own. */
  error?: unknown;
}

/** A driver with a wrapper around each command. `observed` and `traced` make one. */
export interface Observed {
  readonly driver: Driver;
  readonly around: (command: SentCommand, send: () => Promise<unknown>) => Promise<unknown>;
}

/**
 * Returns a driver that reports each command that succeeded or failed, for logs and metrics. Errors thrown by the hook are
 * ignored, so that they don't fail a call.
 */
export function observed(driver: Driver, onCommand: (event: CommandEvent) => void): Driver {
  const tell = (event: CommandEvent) => {
    try {
      onCommand(event);
    } catch {
      // As above.
    }
  };
  return {
    driver,
    around: async (sent, send) => {
      const start = performance.now();
      try {
        const reply = await send();
        tell({ ...sent, ms: performance.now() - start });
        return reply;
      } catch (error) {
        tell({ ...sent, ms: performance.now() - start, error });
        throw error;
      }
    },
  };
}
