import { type Word, checkWord, checkWords } from './words.js';

/** A field's value as passed. `undefined` and `null` mean that the row lacks the field. */
export type Value = Word | null | undefined;

/** Rows to write, with their ids. */
type GivenRows = readonly (readonly [id: Word, row: object])[];

/**
 * Rows by column: an array of values for each field, with an entry for each id. `missing`: the positions of ids without a row.
 */
export interface Columns {
  missing: readonly number[];
  columns: readonly (readonly (string | null)[])[];
}

/** The rows that the server returned by column for these fields. */
export function rowsOf(fields: readonly string[], { missing, columns }: Columns): (object | null)[] {
  const named = fields.map((field, at) => [field, columns[at] ?? []] as const);
  const rows: (object | null)[] = (columns[0] ?? []).map((_, at) => {
    const row = {};
    for (const [field, column] of named) put(row, field, column[at]);
    return row;
  });
  for (const at of missing) rows[at] = null;
  return rows;
}

/** Ids as one argument. One pass, and a copy only if some are numbers: with thousands of ids each pass costs time. */
export function idsText(command: string, ids: readonly Word[]): string {
  let areTexts = true;
  for (let at = 0; at < ids.length; at += 1) {
    const id = ids[at];
    if (typeof id === 'string') continue;
    checkWord(id, command, () => `id ${at + 1}`);
    areTexts = false;
  }
  return JSON.stringify(areTexts ? ids : ids.map(String));
}

/** Rows as one argument, by column. */
export function columnsText(command: string, fields: readonly string[], rows: GivenRows): string {
  checkWords(fields, command, 'field');
  const ids = rows.map(([id], at) => idText(command, id, at));
  const columns = fields.map((field) => rows.map(([, row], at) => valueText(command, row, field, ids[at] as string)));
  const empty = ids.find((_, at) => columns.every((column) => column[at] === null));
  if (empty !== undefined) throw noValue(command, empty);
  return JSON.stringify({ ids, fields, columns });
}

/** Rows as one argument, each with its own fields. */
export function rowsText(command: string, rows: GivenRows): string {
  const members = rows.map(([given, row], at) => {
    const id = idText(command, given, at);
    const values = {};
    let isEmpty = true;
    for (const field of Object.keys(row)) {
      const value = valueText(command, row, field, id);
      if (value === null) continue;
      put(values, field, value);
      isEmpty = false;
    }
    if (isEmpty) throw noValue(command, id);
    return `${JSON.stringify(id)}:${JSON.stringify(values)}`;
  });
  return `{${members.join()}}`;
}

/** Sets a member as `JSON.parse` does, `__proto__` too. */
function put(to: object, name: string, value: unknown): void {
  if (name !== '__proto__') (to as Record<string, unknown>)[name] = value;
  else Object.defineProperty(to, name, { value, configurable: true, enumerable: true, writable: true });
}

function idText(command: string, given: unknown, at: number): string {
  if (typeof given === 'string') return given;
  checkWord(given, command, () => `the id of row ${at + 1}`);
  return String(given);
}

/** Null if the row lacks the field. */
function valueText(command: string, row: object, field: string, id: string): string | null {
  const value = (row as Record<string, unknown>)[field];
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return null;
  checkWord(value, command, () => `field '${field}' of row '${id}'`);
  return String(value);
}

function noValue(command: string, id: string): TypeError {
  return new TypeError(`${command} takes rows of at least one value, row '${id}' has none`);
}
