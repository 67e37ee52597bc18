import type { Word } from './driver.js';
import type { Row } from './vehprice.js';
import { checkWord } from './words.js';

/** What an app sends back of what its user saw. */
export interface Seen {
  /** The moment of the quote. */
  queryTime: string | undefined;
  /** Fields of the row that was shown, at least one. */
  row: Readonly<Record<string, Word>>;
}

/**
 * Whether a vehicle can be reserved at what its user saw.
 *
 * - `Match`: it can; keep the row
 * - `Changed`: under the same lock, the row is another: show it
 * - `NewQuote`: no lock is in force, or one of another moment, or upstream does not know the vehicle: ask for a quote
 */
export type Reserved =
  | { verdict: 'Match' | 'Changed'; row: Readonly<Row>; unlocked: boolean }
  | { verdict: 'NewQuote'; row: null; unlocked: boolean };

/** As `VEHPRICE.VERIFY` compares a row, where there is no table to ask. */
export function compared(row: Readonly<Record<string, string | null>>, seen: Seen['row'], unlocked: boolean): Reserved {
  const isSame = Object.entries(seen).every(([field, value]) => row[field] === String(value));
  const texts = Object.entries(row).filter((entry): entry is [string, string] => entry[1] !== null);
  return { verdict: isSame ? 'Match' : 'Changed', row: Object.fromEntries(texts), unlocked };
}

/** Nothing matches anything. */
export function checkSeen({ row }: Seen): void {
  const fields = Object.entries(row);
  if (fields.length === 0) throw new TypeError('reserve takes at least one field that was seen');
  for (const [field, value] of fields) checkWord(value, 'reserve', () => `field '${field}'`);
}
