// A user's lock as the services keep it without the module: plain GET and SET, moment for the state.
import moment from 'moment';

export const TTL_SECONDS = 360;
export const EFFECTIVE_SECONDS = 300;

export class LockedQuoteInfo {
  // now: the pod's clock, which the parity run replaces by the instant it gives the module as AT.
  constructor(redis, now = () => moment()) {
    this.redis = redis;
    this.now = now;
  }

  static key(user) {
    return `hermes:LockedQuoteInfo:${user}`;
  }

  async getById(user) {
    const value = await this.redis.get(LockedQuoteInfo.key(user));
    if (value === null) return undefined;
    const { roleIds, queryTime } = JSON.parse(value);
    const age = this.now().utc().diff(moment(queryTime), 'seconds');
    return { roleIds, queryTime, state: age > EFFECTIVE_SECONDS ? 'CloseToExpired' : 'Effective' };
  }

  async setById(user, { roleIds, queryTime }) {
    await this.redis.set(LockedQuoteInfo.key(user), JSON.stringify({ roleIds, queryTime }), 'EX', TTL_SECONDS);
  }
}
