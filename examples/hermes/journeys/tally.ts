import { type RecordableHistogram, createHistogram } from 'node:perf_hooks';

/** The counts of a run. */
export const SCREENS = ['map of an area', 'map of all', 'vehicle', 'reserve', 'start', 'return'] as const;
export type Screen = (typeof SCREENS)[number];

/** A price as a screen showed it, for comparison with the book at the end. */
export interface Shown {
  queryTime: string;
  roleIds: string;
  pricingId: string;
  pricing: string;
  vehicleId: string;
  planId: string;
  cents: string;
}

/** How long answers took, in milliseconds. */
export interface Times {
  answers: number;
  p50: number;
  p99: number;
}

export function timesOf(ms: RecordableHistogram): Times {
  return { answers: ms.count, p50: ms.percentile(50), p99: ms.percentile(99) };
}

export class Tally {
  journeys = 0;
  /** Steps that showed a different price from the step before without saying so. */
  mismatches = 0;
  /** Of these, steps with the same `queryTime` as the step before: comparing `queryTime` would not find them. */
  sameMoment = 0;
  /** Journeys with at least one of them. */
  journeysWithMismatch = 0;
  newQuotes = 0;
  /** 503 answers and broken connections: the step was repeated. */
  askedAgain = 0;
  /** Rents that a failover lost. */
  lostRents = 0;
  /** What should never be answered, the first few as they came. */
  readonly unexpected: string[] = [];
  readonly shown = new Map<string, Shown>();
  readonly #ms = Object.fromEntries(SCREENS.map((screen) => [screen, createHistogram()])) as Record<Screen, RecordableHistogram>;

  took(screen: Screen, ms: number): void {
    this.#ms[screen].record(Math.max(1, Math.round(ms))); // it takes none below 1
  }

  show(shown: Shown): void {
    this.shown.set(Object.values(shown).join(' '), shown);
  }

  times(): Record<Screen, Times> {
    const summary = SCREENS.map((screen) => [screen, timesOf(this.#ms[screen])]);
    return Object.fromEntries(summary) as ReturnType<Tally['times']>;
  }
}
