/** Thousands of journeys through random pods while much goes wrong, without quotelock, with it, and with copies: main.js full|quick|short */
import { Stage } from '../launch/stage.js';
import { SIZES, type Size, VARIANTS } from './options.js';
import { faultsOf, report, reportTurns } from './report.js';
import { type Outcome, run } from './run.js';
import { type Turns, measureTurns } from './turns.js';

const size = process.argv[2] as Size;
const options = SIZES[size];
if (!options) {
  console.error(`usage: main.js ${Object.keys(SIZES).join('|')}`);
  process.exit(2);
}

let stage: Stage | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => void (stage?.stop() ?? Promise.resolve()).finally(() => process.exit(130)));
}

/** Runs with its own processes, which end with it. */
async function staged<T>(run: (stage: Stage) => Promise<T>): Promise<T> {
  stage = new Stage();
  try {
    return await run(stage);
  } finally {
    await stage.stop();
  }
}

const turns: Turns[] = [];
for (const keepWarm of [false, true]) {
  console.log(`${keepWarm ? 'keepWarm' : 'without keepWarm'}: maps over ${options.turns.moments} moments`);
  turns.push(await staged((stage) => measureTurns(options, keepWarm, stage)));
}
const outcomes: Outcome[] = [];
for (const variant of VARIANTS) {
  console.log(`${variant.name}: ${options.users} users through ${options.pods} pods for ${options.seconds} s`);
  outcomes.push(await staged((stage) => run(variant, options, stage)));
}
console.log(`\n${report(outcomes)}\n\n${reportTurns(turns)}\n`);
console.log(`turns: ${JSON.stringify(turns)}`);
console.log(`journeys: ${JSON.stringify(outcomes)}`);
const faults = outcomes.flatMap(faultsOf);
for (const fault of faults) console.error(fault);
process.exit(faults.length ? 1 : 0);
