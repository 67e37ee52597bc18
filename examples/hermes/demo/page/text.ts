import { type Texts, en } from './en.js';
import { zh } from './zh-TW.js';

type Key = keyof Texts;
export type Language = 'en' | 'zh-TW';

const LANGUAGES: Record<Language, Texts> = { en, 'zh-TW': zh };
const STORED = 'quotelock-demo-language';
const renderers: (() => void)[] = [];
let language: Language = initial();

/** A text in the language of the page. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return LANGUAGES[language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}

/** Amounts are in cents. */
export function money(cents: number): string {
  return new Intl.NumberFormat(language, { style: 'currency', currency: 'USD' }).format(cents / 100);
}

export function number(value: number, digits = 0): string {
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(language, format).format(value);
}

/** Calls `render` now, and whenever the language changes. */
export function rendered(render: () => void): void {
  renderers.push(render);
  render();
}

/** Puts the page into a language: what stands in it, then what is rendered. */
export function setLanguage(chosen: Language): void {
  language = chosen;
  localStorage.setItem(STORED, chosen);
  document.documentElement.lang = chosen;
  document.title = t('pageTitle');
  for (const element of document.querySelectorAll<HTMLElement>('[data-t]')) element.textContent = t(element.dataset['t'] as Key);
  for (const element of document.querySelectorAll<HTMLElement>('[data-label]')) {
    element.ariaLabel = t(element.dataset['label'] as Key);
  }
  for (const button of document.querySelectorAll<HTMLElement>('[data-language]')) {
    button.ariaPressed = String(button.dataset['language'] === chosen);
  }
  for (const render of renderers) render();
}

export function startLanguages(): void {
  for (const button of document.querySelectorAll<HTMLElement>('[data-language]')) {
    button.onclick = () => setLanguage(button.dataset['language'] as Language);
  }
  setLanguage(language);
}

function initial(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === 'en' || stored === 'zh-TW') return stored;
  return navigator.language.startsWith('zh') ? 'zh-TW' : 'en';
}
