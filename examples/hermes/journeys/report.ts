import type { Outcome } from './run.js';
import { SCREENS, type Times } from './tally.js';
import type { Turns } from './turns.js';

const ratio = (count: number, of: number) => (of === 0 ? '-' : (count / of).toFixed(2));

/** The outcomes side by side. */
export function report(outcomes: readonly Outcome[]): string {
  const rows: [string, ...string[]][] = [
    ['', ...outcomes.map(({ name }) => name)],
    ['journeys', ...outcomes.map(({ journeys }) => `${journeys}`)],
    ['price mismatches', ...outcomes.map(({ mismatches }) => `${mismatches}`)],
    ['  of these with the same queryTime', ...outcomes.map(({ sameMoment }) => `${sameMoment}`)],
    ['  journeys that met one', ...outcomes.map(({ journeysWithMismatch }) => `${journeysWithMismatch}`)],
    ['prices shown', ...outcomes.map(({ pricesShown }) => `${pricesShown}`)],
    ["  not upstream's for that queryTime", ...outcomes.map(({ pricesNotInBook }) => `${pricesNotInBook}`)],
    ['new quotes', ...outcomes.map(({ newQuotes }) => `${newQuotes}`)],
    ['upstream calls per journey', ...outcomes.map(({ upstreamCalls, journeys }) => ratio(upstreamCalls, journeys))],
    ['steps taken again', ...outcomes.map(({ askedAgain }) => `${askedAgain}`)],
    ['pods killed', ...outcomes.map(({ killedPods }) => `${killedPods}`)],
    ['Redis failover, ms', ...outcomes.map(({ failoverMs }) => `${failoverMs ?? '-'}`)],
    ['rents lost by it', ...outcomes.map(({ lostRents }) => `${lostRents}`)],
    ...SCREENS.map((screen): [string, ...string[]] => [
      `${screen}, p50 / p99 ms`,
      ...outcomes.map(({ times }) => `${times[screen].p50} / ${times[screen].p99}`),
    ]),
    ['bytes between pods and Redis per map', ...outcomes.map(({ mapCost }) => mapCost.bytes.toFixed(0))],
    ["Redis' CPU per map, µs", ...outcomes.map(({ mapCost }) => mapCost.cpuMicros.toFixed(0))],
  ];
  return table(rows);
}

/** The map when `queryTime` changes and between changes, without and with `keepWarm`. */
export function reportTurns(turns: readonly Turns[]): string {
  const of = (times: (turns: Turns) => Times) => turns.map((turn) => `${times(turn).p50} / ${times(turn).p99}`);
  return table([
    ['map of an area, p50 / p99 ms', ...turns.map(({ keepWarm }) => (keepWarm ? 'keepWarm' : 'without keepWarm'))],
    ['  when queryTime changes', ...of(({ turn }) => turn)],
    ['  between changes', ...of(({ within }) => within)],
  ]);
}

function table(rows: [string, ...string[]][]): string {
  return rows.map(([name, ...values]) => name.padEnd(42) + values.map((value) => value.padStart(19)).join('')).join('\n');
}

/** What is wrong with the outcomes. */
export function faultsOf({ name, mode, ...outcome }: Outcome): string[] {
  const { journeys, mismatches, pricesNotInBook, unexpected, killedPods, failoverMs } = outcome;
  const faults = unexpected.length ? [`${unexpected.length} journeys broke off, the first: ${unexpected[0]}`] : [];
  if (journeys === 0) faults.push('no journey was made');
  if (killedPods === 0 || failoverMs === undefined) faults.push('nothing went wrong that was to');
  if (mode === 'quotelock' && mismatches) faults.push(`${mismatches} price mismatches`);
  if (mode === 'quotelock' && pricesNotInBook) faults.push(`${pricesNotInBook} prices are not those of their queryTime`);
  if (mode === 'today' && mismatches === 0) faults.push('no price mismatch was found, though there are some');
  return faults.map((fault) => `${name}: ${fault}`);
}
