import assert from 'node:assert/strict';

import type { Page } from 'puppeteer-core';

import { en } from '../page/en.js';
import { zh } from '../page/zh-TW.js';
import { type Looks, look } from './visit.js';

const CHINESE = /[\u4e00-\u9fff]/;
const PLACES = /\{\w+\}/g;

/** Both languages have the same texts, with the same words to put in. */
export function checkKeys(): void {
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  for (const [key, text] of Object.entries(en)) {
    const other = zh[key as keyof typeof en];
    assert.deepEqual(other.match(PLACES)?.sort(), text.match(PLACES)?.sort(), key);
    assert.ok(CHINESE.test(other) && !CHINESE.test(text), key);
  }
}

/** All that is read or read out changes with the language, but for terms, which are marked so. */
export async function checkTexts(page: Page, looks: Looks): Promise<void> {
  for (const language of ['zh-TW', 'en'] as const) {
    await look(page, { ...looks, language });
    assert.equal(await page.$eval('html', ({ lang }) => lang), language);
    const all = [await page.title(), ...(await page.evaluate(textsOf))];
    assert.ok(all.length > 80, `${all.length} texts`);
    for (const text of all) {
      assert.equal(CHINESE.test(text), language === 'zh-TW', `${language}: ${text}`);
      assert.doesNotMatch(text, PLACES, 'all words are put in');
    }
  }
}

/** The texts and labels with a letter in them, that are not marked as terms. Runs in the page. */
function textsOf(): string[] {
  const isTerm = (element: Element | null) => element?.closest('[translate=no], script, style') !== null;
  const found: (string | null)[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) if (!isTerm(walker.currentNode.parentElement)) found.push(walker.currentNode.textContent);
  for (const element of document.querySelectorAll('[aria-label]')) found.push(element.ariaLabel);
  // A price alone is no text.
  return found.flatMap((text) => (text && /\p{L}/u.test(text.replaceAll('US$', '')) ? [text] : []));
}
