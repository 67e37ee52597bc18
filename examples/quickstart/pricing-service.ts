/**
 * Stands in for your pricing service. Unlike a real one, it returns different prices each time, even for the same `queryTime` and
 * roles.
 */
export async function fetchPrices(ids: string[], _queryTime: string, _roleIds: string[]) {
  return ids.map((id) => [id, { price: Math.random().toFixed(6) }] as const);
}
