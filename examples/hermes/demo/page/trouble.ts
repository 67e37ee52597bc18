import type { Watched } from '../front.js';
import { send } from './api.js';
import { $, announce, h, term } from './dom.js';
import { number, t } from './text.js';

const MODES = ['1', '2', '3', '4'] as const;

/** Buttons that kill pods and slow upstream down. They are made once, so that one that has the focus keeps it. */
export function renderTrouble({ pods, pace, slowMs, toggle }: Watched, refresh: () => Promise<void>): void {
  const press = (path: string) => async () => {
    await send(path).catch((error: Error) => announce(t('failed', { why: error.message })));
    await refresh();
  };

  const list = $('#pods');
  if (list.children.length !== pods.length) list.replaceChildren(...pods.map(() => h('li', {}, h('button', { type: 'button' }))));
  for (const [at, { name, isUp }] of pods.entries()) {
    const button = list.children[at]?.firstElementChild as HTMLElement;
    const said = `${name} ${isUp}`;
    button.ariaLabel = t(isUp ? 'kill' : 'start', { pod: name });
    button.onclick = press(`/pods/${name}/${isUp ? 'kill' : 'start'}`);
    button.className = isUp ? 'up' : 'down';
    if (button.dataset['said'] !== said) button.replaceChildren(term(name), ' ', h('span', {}, isUp ? '●' : '○'));
    button.dataset['said'] = said;
  }

  const slow = $('#slow');
  slow.textContent = t('slow', { ms: number(slowMs) });
  slow.ariaPressed = String(pace === 'slow');
  slow.onclick = press(`/upstream/${pace === 'slow' ? 'usual' : 'slow'}`);

  const select = $('#toggle') as HTMLSelectElement;
  if (select.options.length === 0) select.append(...MODES.map((value) => h('option', { value })));
  for (const option of select.options) option.text = t(`toggle${option.value as (typeof MODES)[number]}`);
  if (document.activeElement !== select) select.value = toggle;
  select.onchange = () => press(`/toggle/${select.value}`)();
}
