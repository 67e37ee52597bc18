import assert from 'node:assert/strict';

import type { HTTPResponse, Page } from 'puppeteer-core';

import { start, texts } from './visit.js';

const SENDINGS = 10;

/** Sends users until one is charged another price than was shown. With quotelock none may be, and what is shown was charged. */
export async function checkJourneys(page: Page): Promise<void> {
  const charged = new Set<string>();
  const listen = async (response: HTTPResponse) => {
    if (response.request().method() !== 'PATCH') return;
    const { cents } = (await response.json().catch(() => ({}))) as { cents?: number }; // one that is asked again has none
    if (cents !== undefined) charged.add(`$${(cents / 100).toFixed(2)}`);
  };
  page.on('response', listen);
  try {
    for (let sendings = 1; ; sendings += 1) {
      await start(page, 'journey');
      const [today, quotelock] = await Promise.all([2, 3].map((at) => texts(page, `#journey tbody td:nth-child(${at})`)));
      assert.deepEqual([today?.length, quotelock?.length], [5, 5], 'map, page, reserve, ride, pay');
      for (const column of [today, quotelock]) assert.ok(charged.has(amountIn(column?.[4])), `${column?.[4]} was charged`);
      assert.equal(await count(page, 3), 0, `with quotelock a price changed: ${quotelock}`);
      assert.match((await texts(page, '#journey thead .quotelock .score'))[0] ?? '', /: 0 of \d+$/);
      if ((await count(page, 2)) > 0 && (await texts(page, '#journey tbody tr:last-child td.other')).length === 1) return;
      assert.ok(sendings < SENDINGS, 'without quotelock all users were charged what was shown');
    }
  } finally {
    page.off('response', listen);
  }
}

async function count(page: Page, column: number): Promise<number> {
  return (await texts(page, `#journey tbody td.other:nth-child(${column})`)).length;
}

function amountIn(text = ''): string {
  return /\$\d+\.\d\d/.exec(text)?.[0] ?? '';
}
