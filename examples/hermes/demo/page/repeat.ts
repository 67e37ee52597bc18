import { announce } from './dom.js';
import { rendered, t } from './text.js';

/** A button that repeats something until it is done, and meanwhile stops it if pressed. */
export class Repeat {
  #stop: (() => void) | undefined;
  #says: () => string = () => '';

  constructor(
    readonly button: HTMLElement,
    readonly label: () => string,
    readonly status: HTMLElement,
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
    this.say(() => '');
    try {
      while (!stopped && !(await once()));
      if (stopped) this.say(() => '');
    } catch (error) {
      const { message } = error as Error;
      this.say(() => t('failed', { why: message }));
      announce(t('failed', { why: message }));
    }
    this.#stop = undefined;
    this.#render();
  }

  /** Shows progress beside the button, in the language of the page. */
  say(says: () => string): void {
    this.#says = says;
    this.#render();
  }

  #render(): void {
    this.status.textContent = this.#says();
    this.button.textContent = this.#stop ? t('stop') : this.label();
    this.button.closest('section')?.setAttribute('aria-busy', String(this.#stop !== undefined));
  }
}
