import { type Driver, type Word, commands } from './driver.js';
import { list, text } from './reply.js';

/** `Legacy`: old pricing. `Core`: new pricing. `Retired`: neither, the app asks for a new quote. */
export type Route = 'Legacy' | 'Core' | 'Retired';

/** Where an id goes, and the id without its tag. */
export interface Routed {
  route: Route;
  id: string;
}

/** `PRICEPLAN.*`: old and new pricing side by side. `toggle` is the whole key of the toggle that all pods share. */
export class PricePlan {
  readonly #ask;

  constructor(driver: Driver) {
    this.#ask = commands(driver);
  }

  /** The ids to send out, in order: with `_old` where old pricing is in force. */
  async tag(toggle: string, ids: readonly Word[]): Promise<string[]> {
    if (ids.length === 0) return [];
    return list(await this.#ask.read('PRICEPLAN.TAG', [toggle, ...ids])).map(text);
  }

  /** Where the ids go that came back, in order. */
  async route(toggle: string, ids: readonly Word[]): Promise<Routed[]> {
    if (ids.length === 0) return [];
    return list(await this.#ask.read('PRICEPLAN.ROUTE', [toggle, ...ids])).map((routed) => {
      const [route, id] = list(routed).map(text);
      return { route: route as Route, id: id as string };
    });
  }
}
