/** Goes through the demo's page in headless Chromium, checks what it shows, and takes pictures of it: pictures.js DIRECTORY */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { type Browser, type Page, type Viewport, launch } from 'puppeteer-core';

import { end, freePort } from '../launch/stage.js';

const directory = process.argv[2] ?? 'pictures';
const port = await freePort();
const demo = spawn(process.execPath, [fileURLToPath(new URL('main.js', import.meta.url))], {
  env: { ...process.env, PORT: `${port}`, HOST: '127.0.0.1' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
let browser: Browser | undefined;

try {
  await Promise.race([once(demo.stdout, 'data'), once(demo, 'exit').then(() => assert.fail('the demo did not start'))]);
  browser = await launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
    pipe: true,
  });
  mkdirSync(directory, { recursive: true });
  const phone = await open(browser, { width: 420, height: 1450, isMobile: true });
  await journey(phone);
  await phone.screenshot({ path: join(directory, 'journey.png') });
  assert.ok(await phone.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'it fits a phone');
  await phone.close();

  const screen = await open(browser, { width: 900, height: 480 });
  await races(screen, 'quotelock', (prices) => prices === 1);
  await races(screen, 'today', (prices) => prices > 1);
  console.log(`Pictures of the journey and of both races are in ${directory}`);
} finally {
  await browser?.close();
  await end(demo, 'SIGTERM');
}

async function open(browser: Browser, viewport: Viewport): Promise<Page> {
  const page = await browser.newPage();
  await page.setViewport(viewport);
  await page.goto(`http://127.0.0.1:${port}/`);
  return page;
}

/** Map, vehicle, reserve, start, return: every step shows the price of the first. */
async function journey(page: Page): Promise<void> {
  await page.locator('#map button:nth-child(9)').click();
  for (const [step, line] of Object.entries({ page: 'Vehicle', reserve: 'Reserve', start: 'Start', return: 'Return' })) {
    await page.locator(`[data-step=${step}]`).click();
    await page.waitForSelector(`#log b::-p-text(${line})`);
    await sleep(300);
  }
  await page.waitForSelector('#state::-p-text(Effective)');
  assert.deepEqual(await texts(page, '#log li b:last-child'), [...Array<string>(4).fill('same price'), 'first price']);
}

/** All pods at once, until it comes out as it is to; a price has to change meanwhile for some to. */
async function races(page: Page, mode: 'quotelock' | 'today', expected: (prices: number) => boolean): Promise<void> {
  await page.locator(`[data-mode=${mode}]`).click();
  for (let race = 0; race < 20; race += 1) {
    await page.evaluate(`document.querySelector('#race-said').textContent = ''`);
    await page.locator('#race').click();
    await page.waitForSelector('#race-said:not(:empty)');
    const prices = (await texts(page, '#pods li')).map((pod) => pod.split(/[:,]/)[1]);
    assert.ok(!prices.includes(' no answer'), 'a pod did not answer');
    if (expected(new Set(prices).size)) {
      await page.screenshot({ path: join(directory, `race-${mode}.png`) });
      return;
    }
    assert.notEqual(mode, 'quotelock', `${prices}`);
  }
  assert.fail(`${mode} came to no such race`);
}

function texts(page: Page, selector: string): Promise<string[]> {
  return page.$$eval(selector, (found) => found.map(({ textContent }) => textContent ?? ''));
}
