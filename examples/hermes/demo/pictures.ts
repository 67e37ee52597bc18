/** Goes through the demo's page in headless Chromium, checks what it shows, and takes pictures of it: pictures.js DIRECTORY */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { Stage, end, freePort } from '../launch/stage.js';
import { Chromium } from './chromium.js';

const directory = process.argv[2] ?? 'pictures';
const stage = new Stage();
const port = await freePort();
const demo = spawn(process.execPath, [fileURLToPath(new URL('main.js', import.meta.url))], {
  env: { ...process.env, PORT: `${port}`, HOST: '127.0.0.1' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
let browser: Chromium | undefined;

const click = (selector: string) => `document.querySelector(${JSON.stringify(selector)}).click()`;
const text = (selector: string) => `document.querySelector(${JSON.stringify(selector)})?.textContent`;

try {
  await Promise.race([
    once(demo.stdout, 'data'),
    once(demo, 'exit').then(() => assert.fail('the demo did not start')),
  ]);
  browser = await Chromium.open(process.env['CHROMIUM'] ?? 'chromium', stage.directory, `http://127.0.0.1:${port}/`);
  mkdirSync(directory, { recursive: true });
  await browser.size(420, 1450, true);
  await journey(browser);
  await browser.picture(join(directory, 'journey.png'));
  assert.ok(await browser.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth'), 'it fits a phone');

  await browser.size(900, 480, false);
  await races(browser, 'quotelock', (prices) => prices === 1);
  await races(browser, 'today', (prices) => prices > 1);
  console.log(`Pictures of the journey and of both races are in ${directory}`);
} finally {
  await browser?.close();
  await end(demo, 'SIGTERM');
  await stage.stop();
}

/** Map, vehicle, reserve, start, return: every step shows the price of the first. */
async function journey(page: Chromium): Promise<void> {
  await page.until(`document.querySelectorAll('#map button').length > 10`);
  await page.evaluate(click('#map button:nth-child(9)'));
  for (const [step, line] of Object.entries({ page: 'Vehicle', reserve: 'Reserve', start: 'Start', return: 'Return' })) {
    await page.until(`!document.querySelector('[data-step=${step}]').disabled`);
    await page.evaluate(click(`[data-step=${step}]`));
    await page.until(`[...document.querySelectorAll('#log li b:first-child')].some((said) => said.textContent === '${line}')`);
    await sleep(300);
  }
  await page.until(`document.querySelector('#state').textContent === 'Effective'`);
  const said = await page.evaluate<string[]>(`[...document.querySelectorAll('#log li b:last-child')].map((b) => b.textContent)`);
  assert.deepEqual(said, [...Array<string>(4).fill('same price'), 'first price']);
}

/** All pods at once, until it comes out as it is to; a price has to change meanwhile for some to. */
async function races(page: Chromium, mode: 'quotelock' | 'today', expected: (prices: number) => boolean): Promise<void> {
  await page.evaluate(click(`[data-mode=${mode}]`));
  for (let race = 0; race < 20; race += 1) {
    await page.evaluate(`document.querySelector('#race-said').textContent = ''`);
    await page.evaluate(click('#race'));
    await page.until(text('#race-said'));
    const prices = await page.evaluate<string[]>(
      `[...document.querySelectorAll('#pods li')].map((pod) => pod.textContent.split(/[:,]/)[1])`,
    );
    assert.ok(!prices.includes(' no answer'), 'a pod did not answer');
    if (expected(new Set(prices).size)) return page.picture(join(directory, `race-${mode}.png`));
    assert.notEqual(mode, 'quotelock', `${prices}`);
  }
  assert.fail(`${mode} came to no such race`);
}
