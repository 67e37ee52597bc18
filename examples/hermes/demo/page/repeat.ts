import { announce } from './dom.js';
import { rendered, t } from './text.js';

/** A button that repeats something until that says it is done; meanwhile it is a button that stops it. */
export class Repeat {
  #stop: (() => void) | undefined;

  constructor(
    readonly button: HTMLElement,
    readonly label: () => string,
    readonly running: HTMLElement,
  ) {
    rendered(() => this.#render());
  }

  /** `once` tells whether it is done. */
  start(once: () => Promise<boolean>): void {
    this.button.onclick = () => (this.#stop ? this.#stop() : void this.run(once));
  }

  async run(once: () => Promise<boolean>): Promise<void> {
    let stopped = false;
    this.#stop = () => (stopped = true);
    this.running.textContent = '';
    this.#render();
    try {
      while (!stopped && !(await once()));
    } catch (error) {
      this.running.textContent = t('failed', { why: (error as Error).message });
      announce(this.running.textContent);
    }
    this.#stop = undefined;
    this.#render();
  }

  #render(): void {
    this.button.textContent = this.#stop ? t('stop') : this.label();
    this.button.closest('section')?.setAttribute('aria-busy', String(this.#stop !== undefined));
  }
}
