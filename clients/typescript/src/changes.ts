/** Rows with the same expiry and the same fields, by column. */
export interface ChangedRows {
  /** In milliseconds since 1970, null if never. */
  expiresAt: number | null;
  fields: readonly string[];
  ids: readonly string[];
  /** An array of values for each field, with an entry for each id, null if the row lacks the field. */
  columns: readonly (readonly (string | null)[])[];
}

/** The changes that bring a copy of a table up to date. */
export interface Changes {
  /** The revision to pass to the next call; `0` if there is no table. */
  revision: string;
  /** The server's clock, in milliseconds since 1970. Leave out rows that expire at this time or before. */
  now: number;
  /** Whether these are all rows: then drop the old copy. Otherwise apply them to it. */
  whole: boolean;
  /** Live rows stored since, and perhaps some that the copy already has. */
  groups: readonly ChangedRows[];
  deleted: readonly string[];
}
