/**
 * Round trips shared by concurrent calls, each exact for all of them.
 *
 * A call gets the reply to a request sent after the call was made, never to one already under way: so the reply always includes a
 * write acknowledged before the call. At most one request is under way, and one waits for it to end, shared by all calls made
 * meanwhile. Calls made without a pause between them, as with `Promise.all`, share a request from the start.
 *
 * If a request fails, the calls that share it fail. The waiting request is sent anyway.
 */
export class RoundTrips<T> {
  readonly #send: () => Promise<T>;
  readonly #onIdle: () => void;
  #waiting: Promise<T> | undefined;
  /** Settles with the last request. It never fails, and holds no reply. */
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

  /** The reply to a request sent after this call. */
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
