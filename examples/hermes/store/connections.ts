import type { Redis } from 'ioredis';

const MOST = 32;

/** Connections for commands that wait, as nothing else gets through on them meanwhile. Beyond the most, a command takes its turn. */
export class Connections {
  readonly #idle: Redis[] = [];
  readonly #turns: ((redis: Redis) => void)[] = [];
  #open = 0;

  constructor(readonly redis: Redis) {
    redis.once('end', () => {
      for (const idle of this.#idle) idle.disconnect();
    });
  }

  async use<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = await this.#take();
    try {
      return await command(redis);
    } finally {
      const next = this.#turns.shift();
      if (next) next(redis);
      else this.#idle.push(redis);
    }
  }

  async #take(): Promise<Redis> {
    const idle = this.#idle.pop();
    if (idle) return idle;
    if (this.#open === MOST) return new Promise((resolve) => this.#turns.push(resolve));
    this.#open += 1;
    const redis = this.redis.duplicate();
    redis.on('error', () => undefined); // as on the first connection
    return redis;
  }
}
