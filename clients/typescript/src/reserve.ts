import type { Word } from './driver.js';
import type { Row } from './vehprice.js';
import { checkWord } from './words.js';

/** What the app sends back: what its user saw. */
export interface Seen {
  /** The `queryTime` of the quote. */
  queryTime: string | undefined;
  /** At least one field of the row that was shown. */
  row: Readonly<Record<string, Word>>;
}

/**
 * Whether a vehicle can be reserved at the price its user saw.
 *
 * - `Match`: yes; keep the row
 * - `Changed`: the lock is the same, but the row differs: show it
 * - `NewQuote`: no lock is in force, or one with another `queryTime`, or upstream does not know the vehicle: get a new quote
 */
export type Reserved =
  | { verdict: 'Match' | 'Changed'; row: Readonly<Row>; unlocked: boolean }
  | { verdict: 'NewQuote'; row: null; unlocked: boolean };

/** Compares a row as `VEHPRICE.VERIFY` does, for use without a table. */
export function compared(row: Readonly<Record<string, string | null>>, seen: Seen['row'], unlocked: boolean): Reserved {
  const isSame = Object.entries(seen).every(([field, value]) => row[field] === String(value));
  const texts = Object.entries(row).filter((entry): entry is [string, string] => entry[1] !== null);
  return { verdict: isSame ? 'Match' : 'Changed', row: Object.fromEntries(texts), unlocked };
}

/** No fields would match any row. */
export function checkSeen({ row }: Seen): void {
  const fields = Object.entries(row);
  if (fields.length === 0) throw new TypeError('reserve takes at least one field that was seen');
  for (const [field, value] of fields) checkWord(value, 'reserve', () => `field '${field}'`);
}
