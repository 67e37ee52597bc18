import { type Word, checkWord, checkWords } from './words.js';

/** What a table is named after, besides the `queryTime`. A list is a set, such as role ids: order and repetition don't matter. */
export type Part = Word | readonly Word[] | ReadonlySet<Word>;

const WHAT = 'the key of a table';

/**
 * Escaped, so that a text can't separate words or parts, can't end a hash tag, and can be sent. No version of Unicode changes
 * this set of characters.
 */
const ESCAPED = /[%,:?{}\p{Cc}\p{Cs}]/gu;

/**
 * `name:{moment}:part:part`, as `hermes:rules:{2024-09-12T02:50:00.000Z}:3,7`. Different parts give a different key, whatever
 * characters they contain; only a number and its digits, and a list of one and its element, are the same. The Python client makes
 * the same keys.
 *
 * The hash tag is the `queryTime` alone: in a Cluster, all tables of a `queryTime` are on one node, and other ones spread over
 * the nodes.
 */
export function tableKey(moment: string, name: string, parts: readonly Part[]): string {
  if (name === '' || /[{}]/.test(name)) throw new RangeError(`a table's name takes a text without braces, not '${name}'`);
  // Colons separate parts, and the `queryTime` is not one of them.
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
