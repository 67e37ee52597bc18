import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import type { PodOptions } from '../api/pod.js';
import type { BookOptions } from '../upstream/book.js';
import type { Faults } from '../upstream/faults.js';
import { type Stage, end } from './stage.js';

export interface UpstreamProcess {
  address: string;
  setFaults(faults: Faults): void;
  /** How many calls have come. */
  calls(): Promise<number>;
}

export async function startUpstream(stage: Stage, book: BookOptions, faults: Faults): Promise<UpstreamProcess> {
  const { child, port } = await stage.fork('upstream/main.js', { UPSTREAM: JSON.stringify({ book, faults }) });
  const calls = async () => {
    const reply = once(child, 'message');
    child.send('calls');
    return ((await reply)[0] as { calls: number }).calls;
  };
  return { address: `127.0.0.1:${port}`, setFaults: (changed) => void child.send(changed), calls };
}

/** One pod, which can be killed and started again. */
export class Pod {
  #child: ChildProcess | undefined;
  /** Undefined while it is down. */
  port: number | undefined;

  constructor(
    readonly stage: Stage,
    readonly options: PodOptions,
  ) {}

  async start(): Promise<this> {
    const { child, port } = await this.stage.fork('api/pod.js', { POD: JSON.stringify(this.options) });
    this.#child = child;
    this.port = port;
    child.once('exit', () => (this.port = undefined));
    return this;
  }

  async kill(): Promise<void> {
    if (this.#child) await end(this.#child, 'SIGKILL');
  }
}

/** Pods whose clocks are up to `clocksApartMs` apart, spread evenly. */
export function startPods(
  stage: Stage,
  count: number,
  clocksApartMs: number,
  options: Omit<PodOptions, 'name' | 'clockOffsetMs'>,
): Promise<Pod[]> {
  const pods = Array.from({ length: count }, (_, at) => {
    const share = count > 1 ? at / (count - 1) - 0.5 : 0;
    const clockOffsetMs = Math.round(share * clocksApartMs);
    return new Pod(stage, { ...options, name: `pod-${at + 1}`, clockOffsetMs }).start();
  });
  return Promise.all(pods);
}
