import type { Mode } from '../../api/pod.js';
import { MODES } from './api.js';
import { $ } from './dom.js';
import { number, rendered, t } from './text.js';

/** How many users there were, and how many of them were shown two prices. */
const users: Record<Mode, { all: number; broken: number }> = { today: { all: 0, broken: 0 }, quotelock: { all: 0, broken: 0 } };

export function tally(mode: Mode, isBroken: boolean): void {
  users[mode].all += 1;
  if (isBroken) users[mode].broken += 1;
  render();
}

export function startTally(): void {
  rendered(render);
}

function render(): void {
  for (const mode of MODES) {
    const { all, broken } = users[mode];
    $(`.hero .${mode} b`).textContent = number(broken);
    $(`.hero .${mode} dd span`).textContent = t('tally', { all: number(all) });
  }
}
