/**
 * Round trips that concurrent calls share, each exact for all of them.
 *
 * A call is answered by a request that is sent after the call was made, never by one that is already under way: so a write that
 * was acknowledged before the call is always in its answer. One request is under way at most, and one waits for its end,
 * shared by all who came meanwhile. Calls made without a pause between them, as by `Promise.all`, share a request from the start.
 *
 * A request that fails fails the calls that share it. The one that waits is sent all the same.
 */
export class RoundTrips<T> {
  readonly #send: () => Promise<T>;
  readonly #onIdle: () => void;
  #waiting: Promise<T> | undefined;
  /** Ends with the last request there is. It never fails, and holds no answer. */
  #last: Promise<void> | undefined;

  /** `onIdle` is called when the last request is done. */
  constructor(send: () => Promise<T>, onIdle: () => void) {
    this.#send = send;
    this.#onIdle = onIdle;
  }

  /** Whether no request is under way or waits. */
  get isIdle(): boolean {
    return this.#last === undefined;
  }

  /** The answer to a request that is sent after this call. */
  share(): Promise<T> {
    this.#waiting ??= this.#begin();
    return this.#waiting;
  }

  #begin(): Promise<T> {
    const trip = this.#sendAfter(this.#last);
    const end = () => {
      if (this.#last !== last) return;
      this.#last = undefined;
      this.#onIdle();
    };
    const last = trip.then(end, end);
    this.#last = last;
    return trip;
  }

  async #sendAfter(last: Promise<void> | undefined): Promise<T> {
    await last;
    this.#waiting = undefined;
    return this.#send();
  }
}
