/**
 * Typed commands of the quotelock module, over ioredis, iovalkey, node-redis or Valkey GLIDE. One class per command family, with
 * methods named like its commands.
 */
export type { Value } from './batch.js';
export type { ChangedRows, Changes } from './changes.js';
export type { Driver, Glide, IoRedis, NodeRedis, NodeRedisCluster, Send, Word } from './driver.js';
export { type Reason, ServerError } from './errors.js';
export {
  type Fetch,
  type Fetched,
  FillError,
  type FillOptions,
  type Filled,
  type FilledRow,
  type GetOrFillOptions,
  type PriceTablesOptions,
} from './filling.js';
export type { KeepWarmOptions, Warming } from './keep-warm.js';
export {
  type BindOptions,
  type LockedInfo,
  type LockedInfoReturn,
  LockedQuoteInfo,
  type Logger,
  type QuoteOptions,
  type UserId,
} from './locked-quote-info.js';
export { type CommandEvent, type Observed, type SentCommand, observed } from './observed.js';
export { Outage, type OutageOptions } from './outage.js';
export { type CopiedRow, type CopiesOptions, PriceTableCopies, type PriceTableCopy } from './price-table-copies.js';
export { PriceTables } from './price-tables.js';
export { PricePlan, type Route, type Routed } from './priceplan.js';
export {
  type AcquireOptions,
  type AcquiredLock,
  type Lock,
  type LockOptions,
  type Outcome,
  type QueryTime,
  QuoteLock,
  type RoleIds,
  type SetLockOptions,
  type State,
} from './quotelock.js';
export type { Reserved, Seen } from './reserve.js';
export type { Part } from './table-key.js';
export { type Moment, type NextMoment, type PriceTable, Timing, type TimingOptions, type UnlockedLock } from './timing.js';
export { isUnavailable } from './unavailable.js';
export {
  type Answer,
  type Claim,
  type ClaimOptions,
  type Expiry,
  type GivenRow,
  type Projection,
  type Row,
  type TableInfo,
  VehPrice,
  type Verified,
  type WriteOptions,
} from './vehprice.js';
