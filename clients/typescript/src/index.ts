/** Typed commands of the quotelock module, over ioredis or node-redis. A class a family, named as its commands. */
export type { Value } from './batch.js';
export type { ChangedRows, Changes } from './changes.js';
export type { Driver, IoRedis, NodeRedis, NodeRedisCluster, Send, Word } from './driver.js';
export { type Reason, ServerError } from './errors.js';
export { LockedQuoteInfo, type Quote } from './locked-quote-info.js';
export { type CopiedRow, type CopiesOptions, PriceTableCopies, type PriceTableCopy } from './price-table-copies.js';
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
