import { type Driver, type Word, commands } from './driver.js';
import { list, text } from './reply.js';
import { checkWords } from './words.js';

/** `Legacy`: old pricing. `Core`: new pricing. `Retired`: neither; the app must ask for a new quote. */
export type Route = 'Legacy' | 'Core' | 'Retired';

/** The pricing an id belongs to, and the id without its tag. */
export interface Routed {
  route: Route;
  id: string;
}

/** The tag at the end of an id issued by old pricing. */
const TAG = '_old';

/**
 * `PRICEPLAN.*`: old and new pricing side by side, switched by a toggle that all pods share. Calls go to the primary, so that all
 * pods switch at once.
 */
export class PricePlan {
  readonly #ask;
  readonly #toggle: string;

  /** `toggle` is the whole key of the toggle. */
  constructor(driver: Driver, toggle: string) {
    this.#ask = commands(driver);
    this.#toggle = toggle;
  }

  /** Whether old pricing issued an id, judging by the id alone. */
  static isOld(id: Word): boolean {
    return String(id).endsWith(TAG);
  }

  /** The id without its tag, as upstream knows it. `route` says which pricing it belongs to. */
  static bare(id: Word): string {
    return PricePlan.isOld(id) ? String(id).slice(0, -TAG.length) : String(id);
  }

  /** The ids to send out, in order: with `_old` if old pricing is in force. */
  async tag(ids: readonly Word[]): Promise<string[]> {
    return list(await this.#send('PRICEPLAN.TAG', ids)).map(text);
  }

  /** The pricing of each id that came back, in order. */
  async route(ids: readonly Word[]): Promise<Routed[]> {
    return list(await this.#send('PRICEPLAN.ROUTE', ids)).map((routed) => {
      const [route, id] = list(routed).map(text);
      return { route: route as Route, id: id as string };
    });
  }

  async #send(command: string, ids: readonly Word[]): Promise<unknown> {
    checkWords(ids, command, 'id');
    return ids.length === 0 ? [] : this.#ask.primary(command, [this.#toggle, ...ids]);
  }
}
