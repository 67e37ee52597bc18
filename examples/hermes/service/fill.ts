import type { Table } from '../store/store.js';

/**
 * Rows out of a table. What is missing is asked upstream and kept; who was first with a row decides, for all pods. Null where
 * upstream knows nothing of it.
 */
export async function rowsOf<Row>(
  table: Table<Row>,
  ids: string[],
  ask: (missing: string[]) => Promise<Map<string, Row>>,
): Promise<Map<string, Row>> {
  const rows = await table.get(ids);
  const found = new Map<string, Row>();
  const missing: string[] = [];
  ids.forEach((id, at) => {
    const row = rows[at];
    if (row) found.set(id, row);
    else missing.push(id);
  });
  if (missing.length === 0) return found;
  for (const [id, row] of await table.set(await ask(missing))) found.set(id, row);
  return found;
}
