import assert from 'node:assert/strict';

import type { Page } from 'puppeteer-core';
import type { Watched } from '../front.js';
import type { Race } from '../race.js';
import { start } from './visit.js';

const PODS = 10;

/** By the keyboard alone: a pod is killed and started, upstream is slow and as usual; each shows in what happens next. */
export async function checkButtons(page: Page): Promise<void> {
  await press(page, '#pods button', 'Start pod-1');
  assert.equal((await watched(page)).pods.filter(({ isUp }) => isUp).length, PODS - 1);
  assert.equal((await raced(page)).sides.quotelock.answers.length, PODS - 1);
  await press(page, '#pods button', 'Kill pod-1');

  await press(page, '#slow');
  const { slowMs, pace } = await watched(page);
  assert.equal(pace, 'slow');
  const calls = (await raced(page)).sides.today.answers.flatMap(({ calls }) => calls.filter(({ to }) => to === 'upstream'));
  assert.ok(calls.length > 0 && calls.every(({ ms, reply }) => reply.startsWith('Error') || ms >= slowMs), JSON.stringify(calls));
  await press(page, '#slow');
  assert.equal((await watched(page)).pace, 'usual');

  await page.select('#toggle', '2');
  await page.waitForFunction(async () => (await (await fetch('/watch')).json()).toggle === '2');
  const plans = (await raced(page)).sides.quotelock.answers.map(({ rule }) => rule?.planId);
  assert.deepEqual(new Set(plans), new Set(['571']), 'new pricing, in every pod');
  await page.select('#toggle', '1');
}

/** Everything that can be pressed is reached by Tab, in the order of the page, and shows that it has the focus. */
export async function checkTabs(page: Page): Promise<void> {
  const all = await page.$$eval('button, select', (found) => found.map(({ id, textContent }) => id || textContent));
  const reached: (string | null)[] = [];
  for (const at of all.keys()) {
    if (at === 0) await page.focus('button');
    else await page.keyboard.press('Tab');
    const [name, outline] = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      return [element.id || element.textContent, getComputedStyle(element).outlineStyle];
    });
    // A click was before the first: only the keyboard shows the focus.
    if (at > 0) assert.equal(outline, 'solid', `${name} shows that it has the focus`);
    reached.push(name ?? null);
  }
  assert.deepEqual(reached, all);
}

/** Presses the first of these by Enter. It keeps the focus when the page is rendered anew, and is called `label` then. */
async function press(page: Page, selector: string, label?: string): Promise<void> {
  await page.focus(selector);
  const before = await page.$eval(selector, (element) => element.outerHTML);
  await page.keyboard.press('Enter');
  await page.waitForFunction((selector, before) => document.querySelector(selector)?.outerHTML !== before, {}, selector, before);
  const isFocused = await page.$eval(selector, (element) => element === document.activeElement);
  assert.ok(isFocused, `${selector} kept the focus`);
  if (label) assert.equal(await page.$eval(selector, (element) => element.ariaLabel), label);
}

async function raced(page: Page): Promise<Race> {
  const response = page.waitForResponse((response) => response.url().includes('/race?'));
  await start(page, 'race');
  const race = (await (await response).json()) as Race;
  assert.equal(race.sides.quotelock.differing, 0);
  return race;
}

function watched(page: Page): Promise<Watched> {
  return page.evaluate(async () => (await fetch('/watch')).json());
}
