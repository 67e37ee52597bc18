import { TimeoutError } from './errors.js';
import { isUnavailable } from './unavailable.js';
import { within } from './within.js';

export interface OutageOptions {
  /** For how long Redis isn't asked after it failed, in milliseconds: 1,000. Then one call tries, and the others go on without it until that succeeds. */
  pauseMs?: number;
  /** What a call may take: 1,000. */
  answerMs?: number;
  /** Called when an outage begins, with the error, and when it ends, without one. For logs and metrics. */
  onChange?: (isOn: boolean, error?: unknown) => void;
}

/** Goes on without Redis while it is down: a circuit breaker. One for all that a service asks of the same Redis. */
export class Outage {
  readonly #pauseMs: number;
  readonly #answerMs: number;
  readonly #onChange: OutageOptions['onChange'];
  #skips = 0;
  /** Until when Redis isn't asked. */
  #until: number | undefined;

  constructor({ pauseMs = 1000, answerMs = 1000, onChange }: OutageOptions = {}) {
    this.#pauseMs = pauseMs;
    this.#answerMs = answerMs;
    this.#onChange = onChange;
  }

  /** Whether Redis failed when it was asked last. */
  get isOn(): boolean {
    return this.#until !== undefined;
  }

  /** How many calls have gone on without Redis. */
  get skips(): number {
    return this.#skips;
  }

  /**
   * What `redis` comes to; or, where Redis is unavailable or was so just now, what `without` does. All other errors fail the call. A
   * call that takes longer than `answerMs` counts as unavailable.
   */
  async run<T, U = T>(redis: () => Promise<T>, without: () => U | Promise<U>, answerMs = this.#answerMs): Promise<T | U> {
    if (this.#isPaused()) return this.#skip(without);
    try {
      const answer = await within(answerMs, redis(), () => new TimeoutError(`Redis did not answer within ${answerMs} ms`));
      this.#end();
      return answer;
    } catch (error) {
      if (!isUnavailable(error)) {
        this.#end();
        throw error;
      }
      this.#begin(error);
    }
    return this.#skip(without);
  }

  #skip<U>(without: () => U): U {
    this.#skips += 1;
    return without();
  }

  /** After each pause one call goes to Redis, and the next pause begins with it. */
  #isPaused(): boolean {
    if (this.#until === undefined) return false;
    if (performance.now() < this.#until) return true;
    this.#pause();
    return false;
  }

  #begin(error: unknown): void {
    const isNew = !this.isOn;
    this.#pause();
    if (isNew) this.#tell(true, error);
  }

  #end(): void {
    if (!this.isOn) return;
    this.#until = undefined;
    this.#tell(false);
  }

  #pause(): void {
    this.#until = performance.now() + this.#pauseMs;
  }

  /** What the hook throws is lost, so that it fails no call. */
  #tell(...change: [isOn: boolean, error?: unknown]): void {
    try {
      this.#onChange?.(...change);
    } catch {
      // As above.
    }
  }
}
