import { type Word, checkWords } from './driver.js';

/** A field's value as it may be given: undefined and null are a field that the row lacks. */
export type Value = Word | null | undefined;

/** Rows to be written, with their ids. */
type GivenRows = readonly (readonly [id: Word, row: object])[];

/** Rows by column: values by field, each with an entry for each id. `missing` are the places of ids that have no row. */
export interface Columns {
  missing: readonly number[];
  columns: readonly (readonly (string | null)[])[];
}

/** The rows that the server answers by column for these fields. */
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

/** Ids in one argument. */
export function idsText(command: string, ids: readonly Word[]): string {
  const words = [...ids];
  checkWords(command, words);
  const areTexts = words.every((word) => typeof word === 'string');
  return JSON.stringify(areTexts ? words : words.map(String));
}

/** Rows in one argument, by column. */
export function columnsText(command: string, fields: readonly string[], rows: GivenRows): string {
  checkWords(command, fields);
  const ids = rows.map(([id]) => text(command, id));
  const columns = fields.map((field) => rows.map(([, row]) => textOrNull(command, memberOf(row, field))));
  const empty = ids.find((_, at) => columns.every((column) => column[at] === null));
  if (empty !== undefined) throw noValue(command, empty);
  return JSON.stringify({ ids, fields, columns });
}

/** Rows in one argument, each with fields of its own. */
export function rowsText(command: string, rows: GivenRows): string {
  const members = rows.map(([given, row]) => {
    const id = text(command, given);
    const values = {};
    let isEmpty = true;
    for (const field of Object.keys(row)) {
      const value = textOrNull(command, memberOf(row, field));
      if (value === null) continue;
      put(values, field, value);
      isEmpty = false;
    }
    if (isEmpty) throw noValue(command, id);
    return `${JSON.stringify(id)}:${JSON.stringify(values)}`;
  });
  return `{${members.join()}}`;
}

function memberOf(row: object, field: string): unknown {
  return (row as Record<string, unknown>)[field];
}

/** Sets a member as `JSON.parse` does, `__proto__` too. */
function put(to: object, name: string, value: unknown): void {
  if (name !== '__proto__') (to as Record<string, unknown>)[name] = value;
  else Object.defineProperty(to, name, { value, configurable: true, enumerable: true, writable: true });
}

function text(command: string, given: unknown): string {
  if (typeof given === 'string') return given;
  checkWords(command, [given]);
  return String(given);
}

function textOrNull(command: string, given: unknown): string | null {
  return given === undefined || given === null ? null : text(command, given);
}

function noValue(command: string, id: string): TypeError {
  return new TypeError(`${command} takes rows of at least one value, row '${id}' has none`);
}
