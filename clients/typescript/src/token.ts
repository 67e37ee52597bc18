import { randomBytes } from 'node:crypto';

/** A new random token for `VEHPRICE.CLAIM`. */
export function newToken(): string {
  return randomBytes(16).toString('hex');
}
