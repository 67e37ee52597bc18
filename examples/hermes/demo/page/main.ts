import type { Watched } from '../front.js';
import { watch } from './api.js';
import { $, announce } from './dom.js';
import { startJourney } from './journey.js';
import { startRace } from './race.js';
import { startTally } from './tally.js';
import { number, rendered, startLanguages, t } from './text.js';
import { renderTraffic } from './traffic.js';
import { renderTrouble } from './trouble.js';

const WATCH_MS = 1000;
let watched: Watched | undefined;

function render(): void {
  if (!watched) return;
  $('#lead').textContent = t('lead', { changes: number(watched.priceChangesPerSecond) });
  $('#live').textContent = t('live', { pods: number(watched.pods.filter(({ isUp }) => isUp).length) });
  renderTraffic(watched.totals);
  renderTrouble(watched, refresh);
}

async function refresh(): Promise<void> {
  try {
    watched = await watch();
    render();
  } catch {
    $('#live').textContent = t('gone');
  }
}

startLanguages();
startTally();
await refresh();
rendered(render);
// What was read out was in the other language.
rendered(() => announce(''));
setInterval(refresh, WATCH_MS);
if (watched) await startRace(watched);
await startJourney();
