import { randomBytes } from 'node:crypto';

/** A token for `VEHPRICE.CLAIM`, which nobody else has. */
export function newToken(): string {
  return randomBytes(16).toString('hex');
}
