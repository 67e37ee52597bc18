/** What an argument may be given as. */
export type Word = string | number;

/**
 * Types end where JSON from elsewhere begins: `undefined` would be sent as some text, and stored. `what` takes the words, and
 * `where` says which of them is at fault.
 */
export function checkWord(word: unknown, what: string, where: () => string): asserts word is Word {
  if (typeof word === 'string' || typeof word === 'number') return;
  throw new TypeError(`${what} takes strings and numbers alone, ${where()} is ${kindOf(word)}`);
}

/** A loop, as `every` passes over holes. Places are counted from 1. */
export function checkWords(words: readonly unknown[], what: string, one: string): asserts words is readonly Word[] {
  for (let at = 0; at < words.length; at += 1) checkWord(words[at], what, () => `${one} ${at + 1}`);
}

/** Ids as texts. A loop, as of thousands of ids each pass over them shows. */
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
