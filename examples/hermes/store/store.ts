/** What the service keeps in Redis: each part only gets and sets, what to do with it is the service's affair. */
import type { Lock, PricePlan } from 'quotelock';

import type { PlanRule, Pricing } from '../upstream/book.js';

export interface Store {
  readonly locks: Locks;
  /** Which pricing is in force, by the one toggle of all pods. */
  readonly plans: PricePlan;
  readonly rents: Rents;
  tags(of: TagsQuestion): Table<Tags>;
  rules(of: RulesQuestion): Table<PlanRule[]>;
}

/** A user's price lock: what `LockedQuoteInfo` is asked. */
export interface Locks {
  getById(user: string): Promise<Lock | undefined>;
  /** The lock in force: the one that is there, or else a new one for these roles. A closing one is renewed, unless `ifMissing`. */
  acquire(user: string, roleIds: string[], options: { ifMissing: boolean }): Promise<Lock>;
}

/** What VS is asked, but for the vehicles. */
export interface TagsQuestion {
  queryTime: string;
  rentFlow: string;
}

/** What PS is asked, but for the pricings. */
export interface RulesQuestion {
  queryTime: string;
  roleIds: string[];
  pricing: Pricing;
}

export interface Tags {
  styleId: string;
  /** Empty if the vehicle has no price yet. */
  pricingId: string;
}

/** What a table has, and who is to ask upstream for the rest. */
export interface Claim<Row> {
  found: Map<string, Row>;
  /** The ids that this pod is to ask for. */
  claimed: string[];
  /** The ids that another pod is asking for. */
  pending: string[];
  /** What the rows are set with, if the table gives claims. */
  token?: string;
}

/** Rows that were fetched from upstream, by id. */
export interface Table<Row> {
  claim(ids: string[]): Promise<Claim<Row>>;
  /** Keeps rows, and says which stand: those of another pod may have come first. */
  set(rows: Map<string, Row>, token?: string): Promise<Map<string, Row>>;
  /** Gives up what is claimed still, so that nobody waits for it. */
  release(token: string): Promise<void>;
  /** The rows that other pods were asking for, as far as they have come within a while. */
  wait(ids: string[]): Promise<Map<string, Row>>;
}

/** A rent as it was reserved. */
export interface Reservation {
  vehicleId: string;
  planId: string;
  roleIds: string[];
  queryTime: string;
  /** Pods of before kept none. Such a rent is given its own when the ride starts. */
  rentConfig?: RentConfig;
}

/** What a rent is charged by. */
export interface RentConfig {
  pricing: Pricing;
  pricingId: string;
  rule: PlanRule;
}

/** What happens to a rent after it was reserved. */
export type Step = 'start' | 'return';

/** Rents. Each part of one is written once: of two that write it, both are told what the first one wrote. */
export interface Rents {
  get(user: string, rentId: string): Promise<Reservation | undefined>;
  set(user: string, rentId: string, reservation: Reservation): Promise<Reservation>;
  /** For a rent that was reserved without one. */
  setConfig(user: string, rentId: string, config: RentConfig): Promise<RentConfig>;
  /** When it happened, in milliseconds since 1970. */
  getStep(user: string, rentId: string, step: Step): Promise<number | undefined>;
  /** It happens now, by the server's clock. */
  setStep(user: string, rentId: string, step: Step): Promise<number>;
}
