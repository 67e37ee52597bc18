/** Limits how many do something at once. */
export class Room {
  #free: number;
  readonly #turns: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  /** Takes a place if there is one. */
  tryTake(): boolean {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }

  /** Takes a place, in turn. */
  async take(): Promise<void> {
    if (!this.tryTake()) await new Promise<void>((resolve) => this.#turns.push(resolve));
  }

  give(): void {
    const next = this.#turns.shift();
    if (next) next();
    else this.#free += 1;
  }
}
