/** What VS and PS know at any time: prices that change constantly, the same in every run with the same seed. */

export interface BookOptions {
  seed: number;
  vehicles: number;
  /** Over all pricings of one service. */
  priceChangesPerSecond: number;
  /** Vehicles that are given another pricing. */
  tagChangesPerSecond: number;
  /** The longest time after which a change becomes visible. */
  maxCommitMs: number;
}

export interface Tags {
  tags: string[];
  styleId: string;
  /** Empty if the vehicle has no price yet. */
  pricingId: string;
}

export interface ParkingLot {
  parkingLotId: string;
  name: string;
  /** The vehicles that are there. */
  vehicleIds: string[];
}

export interface Plan {
  planId: string;
  name: string;
  /** The app shows it first. */
  isDefault: boolean;
  /** Open to every user, without a subscription. */
  isBasic: boolean;
}

/** What a ride costs by a plan. */
export interface PlanRule extends Plan {
  unlockCents: number;
  perMinuteCents: number;
}

export type Pricing = 'Core' | 'Legacy';

/** New pricing has replaced one plan of old pricing, and kept the other. */
const PLANS: Record<Pricing, readonly Plan[]> = {
  Legacy: [
    { planId: '571', name: 'Pay as you go', isDefault: true, isBasic: true },
    { planId: '572', name: 'Commuter', isDefault: false, isBasic: false },
  ],
  Core: [
    { planId: '571', name: 'Pay as you go', isDefault: true, isBasic: true },
    { planId: '580', name: 'Commuter plus', isDefault: false, isBasic: false },
  ],
};
const PRICINGS = 24;
const FIRST_PRICING = 100;
export const FIRST_VEHICLE = 4000;
const VEHICLES_A_LOT = 25;
/** Every twentieth vehicle has a style, and no price yet. */
const UNPRICED_EVERY = 20;

export class Book {
  readonly #pricePeriod: number;
  readonly #tagPeriod: number;

  constructor(readonly options: BookOptions) {
    const { vehicles, priceChangesPerSecond, tagChangesPerSecond, maxCommitMs } = options;
    this.#pricePeriod = (PRICINGS * 1000) / priceChangesPerSecond;
    this.#tagPeriod = (vehicles * 1000) / tagChangesPerSecond;
    if (Math.min(this.#pricePeriod, this.#tagPeriod) <= maxCommitMs) {
      throw new RangeError('one thing must not change again before its last change can be seen');
    }
  }

  /** A vehicle's tags at `moment`, as VS knows them at `now`. */
  tags(vehicleId: string, rentFlow: string, moment: number, now: number): Tags | undefined {
    const number = Number(vehicleId) - FIRST_VEHICLE;
    if (!(Number.isInteger(number) && number >= 0 && number < this.options.vehicles)) return undefined;
    const version = this.#version(`vehicle ${vehicleId}`, this.#tagPeriod, moment, now);
    const style = this.#dice(`style ${vehicleId}`) % 4;
    const pricing = this.#dice(`pricing ${vehicleId} ${rentFlow} ${version}`) % PRICINGS;
    const pricingId = (number + 1) % UNPRICED_EVERY === 0 ? '' : String(FIRST_PRICING + pricing);
    return { tags: [`flow:${rentFlow}`], styleId: String(10 + style), pricingId };
  }

  /** Vehicles stand where they are, whatever the moment of their prices. */
  parkingLots(): ParkingLot[] {
    const { vehicles } = this.options;
    return Array.from({ length: Math.ceil(vehicles / VEHICLES_A_LOT) }, (_, lot) => {
      const first = lot * VEHICLES_A_LOT;
      const count = Math.min(VEHICLES_A_LOT, vehicles - first);
      const vehicleIds = Array.from({ length: count }, (_, at) => String(FIRST_VEHICLE + first + at));
      return { parkingLotId: String(lot + 1), name: `Parking lot ${lot + 1}`, vehicleIds };
    });
  }

  /** A pricing's rules at `moment` for a user with these roles, in any order, as PS knows them at `now`. */
  rules(pricing: Pricing, pricingId: string, roleIds: readonly string[], moment: number, now: number): PlanRule[] {
    const number = Number(pricingId) - FIRST_PRICING;
    if (!(Number.isInteger(number) && number >= 0 && number < PRICINGS)) return [];
    const version = this.#version(`${pricing} ${pricingId}`, this.#pricePeriod, moment, now);
    const roles = [...roleIds].sort().join(',');
    return PLANS[pricing].map((plan) => {
      const price = this.#dice(`price ${pricing} ${pricingId} ${plan.planId} ${roles} ${version}`);
      return { ...plan, unlockCents: 50 + (price % 100), perMinuteCents: 15 + (Math.floor(price / 100) % 40) };
    });
  }

  /**
   * How often a thing had changed at `moment`. What is not committed at `now` is not known; so a moment older than the longest
   * commit always has the same answer, and a later one may have a different answer next time.
   */
  #version(thing: string, period: number, moment: number, now: number): number {
    const phase = this.#dice(thing) % period;
    const version = Math.floor((Math.min(moment, now) + phase) / period);
    const commitMs = this.#dice(`${thing} ${version}`) % (this.options.maxCommitMs + 1);
    return version * period - phase + commitMs > now ? version - 1 : version;
  }

  /** A number of 32 bits that looks random: FNV-1a, then the finish of MurmurHash3. */
  #dice(what: string): number {
    let hash = 0x811c9dc5 ^ this.options.seed;
    for (let at = 0; at < what.length; at += 1) hash = Math.imul(hash ^ what.charCodeAt(at), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }
}
