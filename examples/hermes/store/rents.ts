import type { Redis } from 'ioredis';

import type { RentConfig, Rents, Reservation, Step } from './store.js';

const DAY_SECONDS = 86_400;

/** Rents as plain keys, kept for a day. A real service keeps them in a database. */
export class RedisRents implements Rents {
  constructor(readonly redis: Redis) {}

  async get(user: string, rentId: string): Promise<Reservation | undefined> {
    const [reserved = null, config = null] = await this.redis.mget(key(user, rentId), key(user, rentId, 'rentConfig'));
    const rentConfig = read<RentConfig>(config);
    const reservation = read<Reservation>(reserved);
    return reservation && { ...reservation, ...(rentConfig && { rentConfig }) };
  }

  async set(user: string, rentId: string, reservation: Reservation): Promise<Reservation> {
    return read(await this.#first(key(user, rentId), JSON.stringify(reservation))) ?? reservation;
  }

  async setConfig(user: string, rentId: string, config: RentConfig): Promise<RentConfig> {
    return read(await this.#first(key(user, rentId, 'rentConfig'), JSON.stringify(config))) ?? config;
  }

  async getStep(user: string, rentId: string, step: Step): Promise<number | undefined> {
    return read(await this.redis.get(key(user, rentId, step)));
  }

  async setStep(user: string, rentId: string, step: Step): Promise<number> {
    const [seconds = 0, micros = 0] = (await this.redis.time()).map(Number);
    const now = seconds * 1000 + Math.trunc(micros / 1000);
    return read(await this.#first(key(user, rentId, step), String(now))) ?? now;
  }

  /** Sets a value that does not exist; otherwise returns the existing one. */
  async #first(at: string, value: string): Promise<string | null> {
    return (await this.redis.call('SET', at, value, 'EX', DAY_SECONDS, 'NX', 'GET')) as string | null;
  }
}

function key(user: string, rentId: string, part?: Step | 'rentConfig'): string {
  return `hermes:rents:{${user}}:${rentId}${part ? `:${part}` : ''}`;
}

function read<T>(stored: string | null): T | undefined {
  return stored === null ? undefined : (JSON.parse(stored) as T);
}
