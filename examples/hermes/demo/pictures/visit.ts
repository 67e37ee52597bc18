import type { Browser, Page } from 'puppeteer-core';

export interface Looks {
  width: number;
  scheme: 'light' | 'dark';
  language: 'en' | 'zh-TW';
}

export const PHONE = 375;
export const DESKTOP = 1440;
/** The longest that anything takes on a busy machine. */
export const PATIENCE_MS = 120_000;

/** What pages threw or logged as errors. */
export const errors: string[] = [];

/** Opens the page as such a visitor does, and waits until what runs by itself is over. */
export async function visit(browser: Browser, address: string, { width, scheme, language }: Looks): Promise<Page> {
  const page = await browser.newPage();
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    // A pod that fails is no error of the page: it asks again.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) errors.push(message.text());
  });
  page.setDefaultTimeout(PATIENCE_MS);
  await look(page, { width, scheme, language }, address);
  await settled(page);
  return page;
}

/** Changes what a page looks like, and shows the same as before. */
export async function look(page: Page, { width, scheme, language }: Looks, address?: string): Promise<void> {
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.setViewport({ width, height: 900 }); // no phone of its own: to change that loads the page anew
  if (address !== undefined) await page.goto(address);
  await page.locator(`[data-language=${language}]`).click();
}

/** Waits until neither a race nor a journey is under way. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const isOver = (card: string) => document.querySelector(card)?.getAttribute('aria-busy') === 'false';
    return isOver('#race') && isOver('#journey') && document.querySelector('#journey tbody tr') !== null;
  });
}

/** Presses what starts a race or a journey, and waits for its end. It has begun when the first answer comes. */
export async function start(page: Page, card: 'race' | 'journey'): Promise<void> {
  const answer = page.waitForResponse((response) => /\/(race|api)\b/.test(response.url()));
  await page.locator(`#${card}-go`).click();
  await answer;
  await settled(page);
}

export function texts(page: Page, selector: string): Promise<string[]> {
  return page.$$eval(selector, (found) => found.map(({ textContent }) => textContent ?? ''));
}
