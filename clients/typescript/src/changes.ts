/** Rows that expire at one moment, with the same fields, by column. */
export interface ChangedRows {
  /** In milliseconds since 1970, null if never. */
  expiresAt: number | null;
  fields: readonly string[];
  ids: readonly string[];
  /** Values by field, each with an entry for each id, null where a row lacks the field. */
  columns: readonly (readonly (string | null)[])[];
}

/** What to do to a copy of a table to have it as it is now. */
export interface Changes {
  /** What the next changes are asked since; `0` where there is no table. */
  revision: string;
  /** The server's clock, in milliseconds since 1970. Rows that expire at it or before are to be left out. */
  now: number;
  /** Whether to forget what one has, or to apply this to it. */
  whole: boolean;
  /** Live rows that were stored since, and perhaps some that were there already. */
  groups: readonly ChangedRows[];
  deleted: readonly string[];
}
