/** Goes through the demo's page in headless Chromium, checks what it shows, and takes pictures of it: main.js DIRECTORY */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { type Browser, type Page, launch } from 'puppeteer-core';

import { end, freePort } from '../../launch/stage.js';
import { connect } from '../../store/connect.js';
import { checkButtons, checkTabs } from './buttons.js';
import { checkJourneys } from './journeys.js';
import { checkLayout } from './layout.js';
import { checkRaces } from './races.js';
import { checkKeys, checkTexts } from './texts.js';
import { DESKTOP, type Looks, PATIENCE_MS, PHONE, errors, look, visit } from './visit.js';

/** So wide that two timelines are beside each other, and as small as may be. */
const SHOWN = 1080;
const COLOURS = 64;

const directory = process.argv[2] ?? 'pictures';
const port = await freePort();
const demo = spawn(process.execPath, [fileURLToPath(new URL('../main.js', import.meta.url))], {
  env: { ...process.env, PORT: `${port}`, HOST: '127.0.0.1' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
let browser: Browser | undefined;

try {
  const [said] = await Promise.race([once(demo.stdout, 'data'), once(demo, 'exit')]);
  const redisPort = /redis-cli -p (\d+)/.exec(String(said))?.[1];
  assert.ok(redisPort, `the demo did not start: ${said}`);
  const redis = connect({ port: Number(redisPort) });
  browser = await launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
    pipe: true,
    protocolTimeout: PATIENCE_MS,
  });
  const looks: Looks = { width: DESKTOP, scheme: 'light', language: 'en' };
  const page = await visit(browser, `http://127.0.0.1:${port}/`, looks);
  const run = async (what: string, check: () => void | Promise<void>) => {
    await look(page, looks);
    await check();
    assert.deepEqual(errors, []);
    console.log(`ok: ${what}`);
  };
  await run('both languages have the same texts', checkKeys);
  await run('buttons do what they say, by the keyboard', () => checkButtons(page));
  await run('Tab reaches every button', () => checkTabs(page));
  await run('users are charged another price without quotelock, and never with it', () => checkJourneys(page));
  await run('races show two prices without quotelock and never with it, and what pods did', () => checkRaces(page, redis));
  await run('each language is in all texts', () => checkTexts(page, looks));
  await run('everything fits phones and desktops, and axe finds nothing', () => checkLayout(page));
  redis.disconnect();

  mkdirSync(directory, { recursive: true });
  await takePictures(page, looks);
  console.log(`Pictures of the race and the journey are in ${directory}`);
} finally {
  await browser?.close();
  await end(demo, 'SIGTERM');
}

async function takePictures(page: Page, looks: Looks): Promise<void> {
  const take = async (name: string, selector: string, changed: Partial<Looks>) => {
    await look(page, { ...looks, width: SHOWN, ...changed });
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    const path = join(directory, `${name}.png`);
    await (await page.waitForSelector(selector))?.screenshot({ path });
    execFileSync('pngquant', ['--force', '--strip', '--speed', '1', '--output', path, `${COLOURS}`, path]);
  };
  await take('race', '#race .sides', {});
  await take('race-dark', '#race .sides', { scheme: 'dark' });
  await take('race.zh-TW', '#race .sides', { language: 'zh-TW' });
  await take('race-dark.zh-TW', '#race .sides', { language: 'zh-TW', scheme: 'dark' });
  await take('journey', '#journey', { width: PHONE });
}
