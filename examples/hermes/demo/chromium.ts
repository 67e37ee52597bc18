import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

import { end } from '../launch/stage.js';

const PATIENCE_MS = 30_000;

/** A page in headless Chromium, spoken to through its debugging pipe. */
export class Chromium {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #last = 0;
  #session: string | undefined;

  private constructor(program: string, directory: string) {
    const args = ['--headless', '--no-sandbox', '--remote-debugging-pipe', `--user-data-dir=${join(directory, 'chromium')}`];
    // Commands go in through 3, replies come out of 4.
    this.#child = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    let text = '';
    (this.#child.stdio[4] as Readable).setEncoding('utf8').on('data', (chunk: string) => {
      const messages = (text + chunk).split('\0');
      text = messages.pop() ?? '';
      for (const message of messages) this.#hear(JSON.parse(message) as Reply);
    });
  }

  static async open(program: string, directory: string, url: string): Promise<Chromium> {
    const browser = new Chromium(program, directory);
    const { targetId } = await browser.#send<{ targetId: string }>('Target.createTarget', { url });
    const attached = await browser.#send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true });
    browser.#session = attached.sessionId;
    return browser;
  }

  async size(width: number, height: number, mobile: boolean): Promise<void> {
    await this.#send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile });
  }

  /** What an expression comes to in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const reply = await this.#send<Evaluated<T>>('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (reply.exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(reply.exceptionDetails)}`);
    return reply.result.value;
  }

  /** Waits until an expression is true in the page. */
  async until(expression: string): Promise<void> {
    for (const since = Date.now(); !(await this.evaluate<boolean>(`Boolean(${expression})`)); ) {
      if (Date.now() - since > PATIENCE_MS) throw new Error(`the page has not come to ${expression}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async picture(file: string): Promise<void> {
    const { data } = await this.#send<{ data: string }>('Page.captureScreenshot', { format: 'png' });
    await writeFile(file, Buffer.from(data, 'base64'));
  }

  close(): Promise<void> {
    return end(this.#child, 'SIGTERM');
  }

  #send<T>(method: string, params: object): Promise<T> {
    this.#last += 1;
    const id = this.#last;
    const message = { id, method, params, ...(this.#session ? { sessionId: this.#session } : {}) };
    (this.#child.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`Chromium does not answer ${method}`)), PATIENCE_MS);
      this.#waiting.set(id, ({ result, error }) => {
        clearTimeout(late);
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result as T);
      });
    });
  }

  #hear(reply: Reply): void {
    if (reply.id === undefined) return; // an event
    this.#waiting.get(reply.id)?.(reply);
    this.#waiting.delete(reply.id);
  }
}

interface Reply {
  id?: number;
  result?: unknown;
  error?: { message: string };
}

interface Evaluated<T> {
  result: { value: T };
  exceptionDetails?: object;
}
