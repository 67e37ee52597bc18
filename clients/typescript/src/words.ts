/** The types of an argument. */
export type Word = string | number;

/**
 * Checked at run time, as JSON from elsewhere has no types: `undefined` would be sent as text, and stored. `what` is the command,
 * and `where` names the argument at fault.
 */
export function checkWord(word: unknown, what: string, where: () => string): asserts word is Word {
  if (typeof word === 'string' || typeof word === 'number') return;
  throw new TypeError(`${what} takes strings and numbers alone, ${where()} is ${kindOf(word)}`);
}

/** A loop, as `every` skips holes. Positions are counted from 1. */
export function checkWords(words: readonly unknown[], what: string, one: string): asserts words is readonly Word[] {
  for (let at = 0; at < words.length; at += 1) checkWord(words[at], what, () => `${one} ${at + 1}`);
}

/** Ids as texts. A loop, as with thousands of ids each pass costs time. */
export function textsOf(ids: readonly Word[], what: string): string[] {
  const texts: string[] = [];
  for (let at = 0; at < ids.length; at += 1) {
    const id = ids[at] as Word;
    if (typeof id !== 'string') checkWord(id, what, () => `id ${at + 1}`);
    texts.push(typeof id === 'string' ? id : String(id));
  }
  return texts;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'an array' : `of type ${typeof value}`;
}
