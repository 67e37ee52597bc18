/** What the service keeps in Redis. Each part only gets and sets; the service decides what to do with it. */
import type { Lock, Outage, PricePlan, Reserved, Seen, Timing } from 'quotelock';

import type { PlanRule, Pricing, Tags as UpstreamTags } from '../upstream/book.js';

export const TOGGLE = 'hermes:pricingReleaseToggle';

export interface Store {
  readonly timing: Timing;
  readonly locks: Locks;
  /** The pricing in force, by the toggle that all pods share. */
  readonly plans: Pick<PricePlan, 'tag' | 'route'>;
  readonly rents: Rents;
  /** Goes on without Redis while it is down. */
  readonly outage: Pick<Outage, 'run'>;
  /** Tags of vehicles, by vehicle. Missing ones are fetched from upstream; vehicles that it does not know are omitted. */
  tags(moment: Moment, rentFlow: string, ids: string[], ask: Ask<Tags>): Promise<Map<string, Tags>>;
  /** Rules of pricings for these roles, by pricing, in the same way. */
  rules(moment: Moment, pricing: Pricing, ids: string[], ask: Ask<PlanRule[]>): Promise<Map<string, PlanRule[]>>;
  /** Whether a vehicle has under this lock what its user saw of its tags. */
  verdict(lock: Moment, rentFlow: string, id: string, seen: Seen, ask: Ask<Tags>): Promise<Verdict>;
}

export type Verdict = Reserved['verdict'];

/** What upstream is called with: the `queryTime` and roles of a lock, or of its stand-in while Redis is down. */
export type Moment = Pick<Lock, 'queryTime' | 'roleIds'> & { unlocked?: boolean };

export type Tags = Pick<UpstreamTags, 'styleId' | 'pricingId'>;

/** Fetches these ids from upstream. */
export type Ask<Row> = (ids: string[]) => Promise<Map<string, Row>>;

/** A user's price lock, as `LockedQuoteInfo` provides it. */
export interface Locks {
  getById(user: string): Promise<Lock | undefined>;
  /**
   * The lock in force: the existing one, or a new one for these roles. Renews a lock that is `CloseToExpired`, unless `ifMissing`
   * is set.
   */
  acquire(user: string, roleIds: string[], options: { ifMissing: boolean }): Promise<Lock>;
}

/** A rent as it was reserved. */
export interface Reservation {
  vehicleId: string;
  planId: string;
  roleIds: string[];
  queryTime: string;
  /** Older pods stored none. Such a rent gets one when the ride starts. */
  rentConfig?: RentConfig;
}

/** The terms of a rent's charge. */
export interface RentConfig {
  pricing: Pricing;
  pricingId: string;
  rule: PlanRule;
}

/** What happens to a rent after it was reserved. */
export type Step = 'start' | 'return';

/** Rents. Each part of one is written once: if two writers race, both receive what the first one wrote. */
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
