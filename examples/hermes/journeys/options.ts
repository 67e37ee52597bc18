import type { TimingOptions } from 'quotelock';

import type { Mode } from '../api/pod.js';
import type { BookOptions } from '../upstream/book.js';
import type { Faults } from '../upstream/faults.js';

/** One run: how many journeys, how long, and what goes wrong meanwhile. */
export interface RunOptions {
  pods: number;
  /** At once; each makes one journey after another. */
  users: number;
  seconds: number;
  /** The mean time a user looks at a screen. */
  lookMs: number;
  timing: Required<TimingOptions>;
  book: BookOptions;
  faults: Faults;
  /** Without quotelock: how long a vehicle's tags are kept. */
  tagsMs: number;
  clocksApartMs: number;
  /** How many maps are measured before the journeys. */
  maps: number;
  /** How often a pod is killed and restarted. */
  killEveryMs: number;
  turns: TurnOptions;
}

/** How maps are measured when `queryTime` changes, and between changes: maps only, while nothing goes wrong. */
export interface TurnOptions {
  timing: Required<TimingOptions>;
  /** How many are measured, after the first one. */
  moments: number;
  mapsPerSecond: number;
  /** How long the change counts, from when new locks have the `queryTime`. */
  turnMs: number;
}

const book: BookOptions = {
  seed: 20_261_123,
  vehicles: 8000,
  priceChangesPerSecond: 12,
  tagChangesPerSecond: 40,
  maxCommitMs: 200,
};

const faults: Faults = { delayMs: 5, slowShare: 0.03, slowMs: 400, failShare: 0.02 };

/** Locks live shorter than the default, so that some expire while users look at a screen. */
const timing: Required<TimingOptions> = { ttlMs: 60_000, bufferMs: 15_000, lagMs: 500, alignMs: 20_000 };

const QUICK: RunOptions = {
  pods: 10,
  users: 2000,
  seconds: 30,
  lookMs: 6000,
  timing,
  book,
  faults,
  tagsMs: 20_000,
  clocksApartMs: 5000,
  maps: 2000,
  killEveryMs: 8000,
  turns: {
    timing: { ttlMs: 60_000, bufferMs: 15_000, lagMs: 1000, alignMs: 3000 },
    moments: 6,
    mapsPerSecond: 50,
    turnMs: 500,
  },
};

export const COPY_BYTES = 64 * 1024 * 1024;

/** What is compared: pods without quotelock, with it, and with copies of tables besides. */
export interface Variant {
  name: string;
  mode: Mode;
  copyBytes: number;
}

export const VARIANTS: readonly Variant[] = [
  { name: 'without quotelock', mode: 'today', copyBytes: 0 },
  { name: 'quotelock', mode: 'quotelock', copyBytes: 0 },
  { name: 'quotelock, copies', mode: 'quotelock', copyBytes: COPY_BYTES },
];

export const SIZES = {
  full: {
    ...QUICK,
    users: 4000,
    seconds: 300,
    lookMs: 12_000,
    timing: { ttlMs: 120_000, bufferMs: 30_000, lagMs: 500, alignMs: 30_000 },
    tagsMs: 60_000,
  },
  quick: QUICK,
  /** For the tests: all of it once, in a few seconds. */
  short: {
    ...QUICK,
    pods: 3,
    users: 100,
    seconds: 5,
    lookMs: 300,
    timing: { ttlMs: 4000, bufferMs: 1000, lagMs: 500, alignMs: 1000 },
    tagsMs: 2000,
    maps: 100,
    killEveryMs: 1500,
    turns: {
      timing: { ttlMs: 60_000, bufferMs: 15_000, lagMs: 500, alignMs: 1000 },
      moments: 2,
      mapsPerSecond: 20,
      turnMs: 500,
    },
  },
} satisfies Record<string, RunOptions>;

export type Size = keyof typeof SIZES;
