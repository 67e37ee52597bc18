/** What the service keeps in Redis: each part only gets and sets, what to do with it is the service's affair. */
import type { Lock, Outage, PricePlan, Reserved, Seen, Timing } from 'quotelock';

import type { PlanRule, Pricing, Tags as UpstreamTags } from '../upstream/book.js';

export const TOGGLE = 'hermes:pricingReleaseToggle';

export interface Store {
  readonly timing: Timing;
  readonly locks: Locks;
  /** Which pricing is in force, by the one toggle of all pods. */
  readonly plans: Pick<PricePlan, 'tag' | 'route'>;
  readonly rents: Rents;
  /** Goes on without Redis while it is down. */
  readonly outage: Pick<Outage, 'run'>;
  /** Tags of vehicles, by vehicle. Those that are missing are fetched from upstream; vehicles that it does not know are left out. */
  tags(moment: Moment, rentFlow: string, ids: string[], ask: Ask<Tags>): Promise<Map<string, Tags>>;
  /** Rules of pricings for these roles, by pricing, in the same way. */
  rules(moment: Moment, pricing: Pricing, ids: string[], ask: Ask<PlanRule[]>): Promise<Map<string, PlanRule[]>>;
  /** Whether a vehicle has under this lock what its user saw of its tags. */
  verdict(lock: Moment, rentFlow: string, id: string, seen: Seen, ask: Ask<Tags>): Promise<Verdict>;
}

export type Verdict = Reserved['verdict'];

/** What upstream is asked for: a lock's moment and roles, or those of one that stands in for it while Redis is down. */
export type Moment = Pick<Lock, 'queryTime' | 'roleIds'> & { unlocked?: boolean };

export type Tags = Pick<UpstreamTags, 'styleId' | 'pricingId'>;

/** Fetches these ids from upstream. */
export type Ask<Row> = (ids: string[]) => Promise<Map<string, Row>>;

/** A user's price lock: what `LockedQuoteInfo` is asked. */
export interface Locks {
  getById(user: string): Promise<Lock | undefined>;
  /** The lock in force: the one that is there, or else a new one for these roles. A closing one is renewed, unless `ifMissing`. */
  acquire(user: string, roleIds: string[], options: { ifMissing: boolean }): Promise<Lock>;
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
