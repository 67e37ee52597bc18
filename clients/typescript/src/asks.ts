import type { Room } from './room.js';
import type { UpstreamRow } from './upstream.js';

type Rows = ReadonlyMap<string, UpstreamRow>;

/** An upstream call whose result is not stored. */
export interface Ask {
  ids: readonly string[];
  answer: Promise<Rows>;
  /** Until when someone waits for it. */
  until: number;
}

/** Upstream calls that bypass the tables. Screens of a process that ask for the same rows share them. */
export class Asks {
  readonly #room: Room;
  readonly #limit: number;
  readonly #tables = new Map<string, Map<string, Ask>>();

  /** `limit`: the most ids in a call. */
  constructor(room: Room, limit: number) {
    this.#room = room;
    this.#limit = limit;
  }

  /** The calls for these ids: those under way, and new ones for ids that nobody has asked for. */
  for(
    table: string,
    ids: readonly string[],
    until: number,
    call: (ids: readonly string[]) => Promise<Rows>,
  ): { joined: Ask[]; begun: Ask[] } {
    const asks = this.#tables.get(table) ?? new Map<string, Ask>();
    const joined = new Set(ids.flatMap((id) => asks.get(id) ?? []));
    for (const ask of joined) ask.until = Math.max(ask.until, until);
    const open = ids.filter((id) => !asks.has(id));
    const begun: Ask[] = [];
    for (let at = 0; at < open.length; at += this.#limit) {
      begun.push(this.#begin(table, asks, open.slice(at, at + this.#limit), until, call));
    }
    return { joined: [...joined], begun };
  }

  #begin(
    table: string,
    asks: Map<string, Ask>,
    ids: readonly string[],
    until: number,
    call: (ids: readonly string[]) => Promise<Rows>,
  ): Ask {
    const inTurn = async () => {
      await this.#room.take();
      try {
        if (performance.now() >= ask.until) throw new Error('nobody waits for it any more');
        return await call(ids);
      } finally {
        this.#room.give();
        for (const id of ids) asks.delete(id);
        if (asks.size === 0) this.#tables.delete(table);
      }
    };
    const ask: Ask = { ids, until, answer: Promise.resolve().then(inTurn) };
    ask.answer.catch(() => undefined); // the callers that wait get the error
    for (const id of ids) asks.set(id, ask);
    this.#tables.set(table, asks);
    return ask;
  }
}
