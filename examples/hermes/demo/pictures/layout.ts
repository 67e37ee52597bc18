import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import type { AxeResults } from 'axe-core';
import type { Page } from 'puppeteer-core';

import { DESKTOP, type Looks, PHONE, look } from './visit.js';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const LEAST_USED = 0.85;

/** On phones and desktops, in light and dark, in both languages: nothing is cut off, no half is blank, and axe finds nothing. */
export async function checkLayout(page: Page): Promise<void> {
  await page.evaluate(await readFile(AXE, 'utf8'));
  for (const width of [PHONE, DESKTOP]) {
    for (const scheme of ['light', 'dark'] as const) {
      for (const language of ['en', 'zh-TW'] as const) await checkLook(page, { width, scheme, language });
    }
  }
}

async function checkLook(page: Page, looks: Looks): Promise<void> {
  await look(page, looks);
  const name = Object.values(looks).join(' ');
  const { wide, cut, widths } = await page.evaluate(
    (width) => ({
      wide: document.documentElement.scrollWidth,
      cut: [...document.querySelectorAll('main *')]
        .filter((element) => element.getBoundingClientRect().right > width)
        .map(({ outerHTML }) => outerHTML),
      widths: ['#race', '#journey, .column'].map((selector) =>
        [...document.querySelectorAll(selector)].map((card) => card.getBoundingClientRect().width),
      ),
    }),
    looks.width,
  );
  assert.ok(wide <= looks.width, `${name}: ${wide} px wide, by ${cut[0]}`);
  for (const row of widths) {
    const used = looks.width === PHONE ? Math.min(...row) : row.reduce((sum, width) => sum + width, 0);
    assert.ok(used >= LEAST_USED * looks.width, `${name}: cards of ${row} px`);
  }
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run());
  const found = violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  assert.deepEqual(found, [], name);
}
