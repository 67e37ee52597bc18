import { TimeoutError } from './errors.js';
import { isUnavailable } from './unavailable.js';
import { within } from './within.js';

export interface OutageOptions {
  /**
   * How long Redis is not called after it failed, in milliseconds (default 1,000). Then one call tries it, and the others go on
   * without it until that succeeds.
   */
  pauseMs?: number;
  /** How long a call may take, in milliseconds (default 1,000). */
  answerMs?: number;
  /** Called when an outage begins, with the error, and when it ends, without one. For logs and metrics. */
  onChange?: (isOn: boolean, error?: unknown) => void;
}

/** A circuit breaker: goes on without Redis while it is down. Use one for all calls of a service to the same Redis. */
export class Outage {
  readonly #pauseMs: number;
  readonly #answerMs: number;
  readonly #onChange: OutageOptions['onChange'];
  #skips = 0;
  /** Redis is not called before this time. */
  #until: number | undefined;

  constructor({ pauseMs = 1000, answerMs = 1000, onChange }: OutageOptions = {}) {
    this.#pauseMs = pauseMs;
    this.#answerMs = answerMs;
    this.#onChange = onChange;
  }

  /** Whether the last call to Redis failed. */
  get isOn(): boolean {
    return this.#until !== undefined;
  }

  /** How many calls went on without Redis. */
  get skips(): number {
    return this.#skips;
  }

  /**
   * Returns the result of `redis`, or of `without` if Redis is unavailable or was so within the pause. All other errors fail the
   * call. A call that takes longer than `answerMs` counts as unavailable.
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

  /** After each pause one call goes to Redis, and starts the next pause. */
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

  /** Errors thrown by the hook are ignored, so that they don't fail a call. */
  #tell(...change: [isOn: boolean, error?: unknown]): void {
    try {
      this.#onChange?.(...change);
    } catch {
      // As above.
    }
  }
}
