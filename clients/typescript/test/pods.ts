// Pods that fill tables, each with a client of its own, and the upstream that they ask.
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';
import { type Fetch, type PriceTable, PriceTables, type PriceTablesOptions } from 'quotelock';

import { key, url } from './harness.js';

export const fields = ['price'] as const;

export function newTable(): PriceTable {
  return { key: key('table'), expiry: { inMs: 60_000 } };
}

/** It knows no vehicle 99. */
export function rowsOf(ids: readonly string[]): [id: string, row: { price: number; note: null }][] {
  return ids.filter((id) => id !== '99').map((id) => [id, { price: Number(id) * 2, note: null }]);
}

/** Notes what it is asked for, and answers after a time; or, if that is `Infinity`, once it is told to. */
export class Upstream {
  readonly asked: string[][] = [];
  /** Answers all that was asked and will be. */
  answer: () => void = () => undefined;
  readonly #told = new Promise<void>((resolve) => {
    this.answer = resolve;
  });

  constructor(readonly takesMs = 0) {}

  readonly fetch: Fetch<'price'> = async (ids) => {
    this.asked.push(ids);
    if (this.takesMs > 0) await (this.takesMs === Number.POSITIVE_INFINITY ? this.#told : sleep(this.takesMs));
    return rowsOf(ids);
  };

  /** Until it is asked. */
  async isAsked(): Promise<void> {
    while (this.asked.length === 0) await sleep(5);
  }

  get askedIds(): string[] {
    return this.asked.flat().sort();
  }
}

export function newPod(options: PriceTablesOptions = {}): PriceTables {
  const client = new Redis(url).on('error', () => undefined);
  after(() => client.disconnect());
  // As long as a busy machine may take.
  return new PriceTables(client, { answerMs: 5000, ...options });
}

export function newPods(count: number, options: PriceTablesOptions = {}): PriceTables[] {
  return Array.from({ length: count }, () => newPod(options));
}

export function idsFrom(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, at) => String(first + at));
}
