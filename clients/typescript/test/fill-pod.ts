// A pod of fill-upheaval.ts: it opens the screens that it is told to, and tells what came of them.
import { Redis } from 'ioredis';
import { type Fetch, PriceTables, type PriceTablesOptions } from 'quotelock';

export interface ScreenOpened {
  key: string;
  ids: string[];
}

export interface ScreenShown {
  key: string;
  ms: number;
  /** By id, of those that were had. */
  prices: Record<string, string>;
  error?: { name: string; message: string };
}

const [pod = '', redisUrl = '', upstreamUrl = '', options = ''] = process.argv.slice(2);

const redis = new Redis(redisUrl).on('error', () => undefined);
const tables = new PriceTables(redis, JSON.parse(options) as PriceTablesOptions);
const fields = ['price'] as const;

process.on('message', async ({ key, ids }: ScreenOpened) => {
  const ask: Fetch<'price'> = async (ids, signal) => {
    const response = await fetch(upstreamUrl, { method: 'POST', body: JSON.stringify({ pod, key, ids }), signal });
    return new Map((await response.json()) as [string, { price: string }][]);
  };
  const start = performance.now();
  const shown = await tables.getOrFill({ key, expiry: { inMs: 600_000 } }, ids, ask, { fields }).catch((error) => ({
    rows: error.filled?.rows ?? [],
    error: { name: error.name, message: error.message },
  }));
  const ms = performance.now() - start;
  const prices = Object.fromEntries(ids.flatMap((id, at) => (shown.rows[at] ? [[id, shown.rows[at]?.price]] : [])));
  process.send?.({ ...shown, key, ms, prices } satisfies ScreenShown);
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
