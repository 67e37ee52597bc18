import { type Word, checkWord, checkWords } from './words.js';

/** What a table is named after, besides the moment. A list is a set, such as role ids: neither order nor repetition counts. */
export type Part = Word | readonly Word[] | ReadonlySet<Word>;

const WHAT = 'the key of a table';

/**
 * Without these a text separates no words and parts, ends no hash tag, and can be sent. No version of Unicode changes which characters
 * they are.
 */
const ESCAPED = /[%,:?{}\p{Cc}\p{Cs}]/gu;

/**
 * `name:{moment}:part:part`, as `hermes:rules:{2024-09-12T02:50:00.000Z}:3,7`. Other parts give another key, whatever characters
 * are in them; only a number and its digits, and a list of one and its element, are the same. The Python client makes the same keys.
 *
 * The moment is the hash tag, and nothing else: in a Cluster all tables of a moment are on one node, and those of other moments on
 * others.
 */
export function tableKey(moment: string, name: string, parts: readonly Part[]): string {
  if (name === '' || /[{}]/.test(name)) throw new RangeError(`a table's name takes a text without braces, not '${name}'`);
  // Colons separate parts, and the moment is none of them.
  const tag = escaped(moment).replaceAll('%3a;', ':');
  return [`${name}:{${tag}}`, ...parts.map(partText)].join(':');
}

function partText(part: Part): string {
  if (typeof part !== 'object' || part === null) {
    checkWord(part, WHAT, () => 'a part');
    return escaped(String(part));
  }
  const words = [...part];
  checkWords(words, WHAT, 'element');
  return [...new Set(words.map(String))].sort().map(escaped).join();
}

/** Every `%` begins an escape and a `;` ends it. */
function escaped(text: string): string {
  return text.replace(ESCAPED, (one) => `%${one.codePointAt(0)?.toString(16)};`) || '%;';
}
