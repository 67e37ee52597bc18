/** Thousands of journeys through random pods while much goes wrong, without quotelock, with it, and with copies: main.js full|quick|short */
import { Stage } from '../launch/stage.js';
import { SIZES, type Size, VARIANTS } from './options.js';
import { faultsOf, report } from './report.js';
import { type Outcome, run } from './run.js';

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

const outcomes: Outcome[] = [];
for (const variant of VARIANTS) {
  console.log(`${variant.name}: ${options.users} users through ${options.pods} pods for ${options.seconds} s`);
  stage = new Stage();
  try {
    outcomes.push(await run(variant, options, stage));
  } finally {
    await stage.stop();
  }
}
console.log(`\n${report(outcomes)}\n`);
console.log(`journeys: ${JSON.stringify(outcomes)}`);
const faults = outcomes.flatMap(faultsOf);
for (const fault of faults) console.error(fault);
process.exit(faults.length ? 1 : 0);
