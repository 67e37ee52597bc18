import type { Driver } from './driver.js';

/** A command that is to be sent. */
export interface SentCommand {
  /** Its name, as `VEHPRICE.MGET`. */
  command: string;
  /** Its key, the first if it has several, without what a driver puts before it. */
  key: string;
}

/** A command that was answered or failed. */
export interface CommandEvent extends SentCommand {
  /** How long it took, with all that the driver did to send it, in milliseconds. */
  ms: number;
  /** What the call failed with: a `ServerError`, or the driver's own. */
  error?: unknown;
}

/** A driver with something that each command goes through. `observed` and `traced` make one. */
export interface Observed {
  readonly driver: Driver;
  readonly around: (command: SentCommand, send: () => Promise<unknown>) => Promise<unknown>;
}

/**
 * The driver, telling of each command that was answered or failed: for logs and metrics. What the hook throws is lost, so that it fails no
 * call.
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
