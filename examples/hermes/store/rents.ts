import type { Redis } from 'ioredis';

import type { RentConfig, Rents, Step } from './store.js';

const DAY_SECONDS = 86_400;

/** Rents as plain keys, kept for a day. A service that is paid keeps them in a database. */
export class RedisRents implements Rents {
  constructor(readonly redis: Redis) {}

  async get(user: string, rentId: string): Promise<RentConfig | undefined> {
    return read(await this.redis.get(key(user, rentId)));
  }

  async set(user: string, rentId: string, config: RentConfig): Promise<RentConfig> {
    return read(await this.#first(key(user, rentId), JSON.stringify(config))) ?? config;
  }

  async getStep(user: string, rentId: string, step: Step): Promise<number | undefined> {
    return read(await this.redis.get(key(user, rentId, step)));
  }

  async setStep(user: string, rentId: string, step: Step): Promise<number> {
    const [seconds = 0, micros = 0] = (await this.redis.time()).map(Number);
    const now = seconds * 1000 + Math.trunc(micros / 1000);
    return read(await this.#first(key(user, rentId, step), String(now))) ?? now;
  }

  /** Sets what is not there; else answers what is. */
  async #first(at: string, value: string): Promise<string | null> {
    return (await this.redis.call('SET', at, value, 'EX', DAY_SECONDS, 'NX', 'GET')) as string | null;
  }
}

function key(user: string, rentId: string, step?: Step): string {
  return `hermes:rents:{${user}}:${rentId}${step ? `:${step}` : ''}`;
}

function read<T>(stored: string | null): T | undefined {
  return stored === null ? undefined : (JSON.parse(stored) as T);
}
