export type Child = Node | string | undefined | false;

export function $(selector: string): HTMLElement {
  return document.querySelector<HTMLElement>(selector) as HTMLElement;
}

/** An element: `h('p.said', {}, 'text')`. */
export function h(tag: string, attributes: Record<string, string> = {}, ...children: Child[]): HTMLElement {
  const [name = 'div', ...classes] = tag.split('.');
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(' ');
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

/** A term that is the same in every language. */
export function term(text: string, tag = 'span'): HTMLElement {
  return h(tag, { translate: 'no' }, text);
}

/** Announces the result of a button to screen readers. */
export function announce(text: string): void {
  $('#said').textContent = text;
}
