// A server that answers VEHPRICE.CHANGES when and what a test says, and a clock that stands still.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import type { ChangedRows, Changes, Send } from 'quotelock';

interface Request {
  words: string[];
  readOnly: boolean;
  resolve(reply: string): void;
  reject(error: Error): void;
}

export class FeignedServer {
  /** All that was asked, and not answered yet. */
  readonly requests: Request[] = [];
  /** How often anything was asked. */
  asked = 0;
  #revision = 0;

  readonly driver: Send = (words, _key, readOnly) =>
    new Promise((resolve, reject) => {
      this.asked += 1;
      this.requests.push({ words, readOnly, resolve, reject });
    });

  /** The one request there is now, which is to be answered. */
  async #request(): Promise<Request> {
    await turn();
    assert.equal(this.requests.length, 1, 'requests under way');
    return this.requests.shift() as Request;
  }

  /** Answers the request that is under way, and returns its words. */
  async answer(changes: Partial<Changes> = {}): Promise<string[]> {
    const { words, resolve } = await this.#request();
    this.#revision += 1;
    const whole = words[2] === '0';
    resolve(JSON.stringify({ revision: `r-${this.#revision}`, now: 0, whole, groups: [], deleted: [], ...changes }));
    await turn();
    return words;
  }

  async fail(error: Error): Promise<void> {
    (await this.#request()).reject(error);
    await turn();
  }
}

/** Rows of one field, `a`, by id. */
export function group(rows: Readonly<Record<string, string>>, expiresAt: number | null = null): ChangedRows {
  return { expiresAt, fields: ['a'], ids: Object.keys(rows), columns: [Object.values(rows)] };
}

/** Sets the process's own clock for each test, which stands still. The date is not asked for. */
export function standingClock(): { now: number } {
  const clock = { now: 0 };
  beforeEach(() => {
    clock.now = 5000;
    mock.method(performance, 'now', () => clock.now);
    mock.method(Date, 'now', () => assert.fail('a date jumps'));
  });
  afterEach(() => mock.restoreAll());
  return clock;
}
