/** What the service keeps in Redis: each part only gets and sets, what to do with it is the service's affair. */
import type { PlanRule, Pricing } from '../upstream/book.js';

export interface Store {
  readonly locks: Locks;
  readonly plans: Plans;
  readonly rents: Rents;
  tags(of: TagsQuestion): Table<Tags>;
  rules(of: RulesQuestion): Table<PlanRule[]>;
}

export interface Lock {
  roleIds: string[];
  queryTime: string;
  state: 'Effective' | 'CloseToExpired';
}

/** A user's price lock. */
export interface Locks {
  get(user: string): Promise<Lock | undefined>;
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

export interface Routed {
  route: Pricing | 'Retired';
  id: string;
}

/** Which pricing goes, by the one toggle of all pods. */
export interface Plans {
  /** The ids to send out. */
  tag(ids: readonly string[]): Promise<string[]>;
  /** Where an id goes that came back. */
  route(id: string): Promise<Routed>;
}

/** What a rent is charged by: fixed when it is reserved. */
export interface RentConfig {
  vehicleId: string;
  pricing: Pricing;
  pricingId: string;
  roleIds: string[];
  queryTime: string;
  rule: PlanRule;
}

/** What happens to a rent after it was reserved. */
export type Step = 'start' | 'return';

/** Rents. Each part of one is written once: of two that write it, both are told what the first one wrote. */
export interface Rents {
  get(user: string, rentId: string): Promise<RentConfig | undefined>;
  set(user: string, rentId: string, config: RentConfig): Promise<RentConfig>;
  /** When it happened, in milliseconds since 1970. */
  getStep(user: string, rentId: string, step: Step): Promise<number | undefined>;
  /** It happens now, by the server's clock. */
  setStep(user: string, rentId: string, step: Step): Promise<number>;
}
