import type { Table } from '../store/store.js';

type Ask<Row> = (ids: string[]) => Promise<Map<string, Row>>;

/**
 * Rows out of a table. Of all pods that miss a row one asks upstream, and the others wait for it; if it does not come, they ask as
 * well, and who was first decides for all. Rows that upstream does not know are left out.
 */
export async function rowsOf<Row>(table: Table<Row>, ids: string[], ask: Ask<Row>): Promise<Map<string, Row>> {
  const { found, claimed, pending, token } = await table.claim(ids);
  const rows = new Map(found);
  const add = (more: Map<string, Row>) => {
    for (const [id, row] of more) rows.set(id, row);
  };
  if (claimed.length) add(await fill(table, claimed, ask, token));
  if (pending.length) add(await table.wait(pending));
  // Where the other pod did not bring them, or the server has no room for more claims.
  const mine = new Set(claimed);
  const missing = ids.filter((id) => !rows.has(id) && !mine.has(id));
  if (missing.length) add(await fill(table, missing, ask));
  return rows;
}

async function fill<Row>(table: Table<Row>, ids: string[], ask: Ask<Row>, token?: string): Promise<Map<string, Row>> {
  try {
    return await table.set(await ask(ids), token);
  } finally {
    // Where upstream has failed, or does not know some of them.
    if (token !== undefined) await table.release(token);
  }
}
