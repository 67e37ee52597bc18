import type { Mode, PodStats } from '../../api/pod.js';
import type { Totals } from '../traffic.js';
import { MODES } from './api.js';
import { $, h } from './dom.js';
import { number, t } from './text.js';

/** What screens cost, the higher figure of each two with the longest bar. */
export function renderTraffic(totals: Totals): void {
  const each = (sum: keyof PodStats) => (mode: Mode) => totals[mode].screens && totals[mode][sum] / totals[mode].screens;
  const rows = [
    h('tr', {}, h('th', { scope: 'row' }, t('screens')), ...MODES.map((mode) => h('td', {}, number(totals[mode].screens)))),
    compared('calls', each('upstreamCalls'), 2),
    compared('bytes', each('redisBytes'), 0),
  ];
  $('#traffic tbody').replaceChildren(...rows);
}

function compared(name: 'calls' | 'bytes', of: (mode: Mode) => number, digits: number): HTMLElement {
  const most = Math.max(...MODES.map(of));
  const cell = (mode: Mode) => {
    const value = of(mode);
    const bar = h('i.bar', { style: `width: ${most && (100 * value) / most}%`, 'aria-hidden': 'true' });
    return h(`td.${mode}`, {}, number(value, digits), bar);
  };
  return h('tr', {}, h('th', { scope: 'row' }, t(name)), ...MODES.map(cell));
}
