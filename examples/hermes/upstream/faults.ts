import { setTimeout as sleep } from 'node:timers/promises';

/** How upstream misbehaves. Shares are from 0 to 1. */
export interface Faults {
  /** How long a usual call takes. */
  delayMs: number;
  slowShare: number;
  slowMs: number;
  failShare: number;
}

export const NO_FAULTS: Faults = { delayMs: 0, slowShare: 0, slowMs: 0, failShare: 0 };

/** Delays a call for as long as it should take; throws if it should fail. */
export async function suffer({ delayMs, slowShare, slowMs, failShare }: Faults): Promise<void> {
  const ms = Math.random() < slowShare ? slowMs : delayMs;
  if (ms > 0) await sleep(ms);
  if (Math.random() < failShare) throw new Error('failing, as it was told to');
}
