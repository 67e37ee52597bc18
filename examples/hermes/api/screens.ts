import { randomUUID } from 'node:crypto';

import type { Fleet } from '../service/fleet.js';
import { OLD } from '../service/plans.js';
import type { Quotes, User } from '../service/quotes.js';
import type { Rents } from '../service/rents.js';
import { type Answer, BadRequest, type Request } from './http.js';

export interface Service {
  quotes: Quotes;
  rents: Rents;
}

/** What differs by screen. */
export class Screens {
  constructor(readonly fleet: Fleet) {}

  async answer(request: Request, { quotes, rents }: Service): Promise<Answer | undefined> {
    const { method, path, query, body } = request;
    const [resource, id] = path;
    if (path.length > 2 || id === '') return undefined;

    if (resource === 'scooters' && method === 'GET') {
      const user = userOf(request);
      const seen = { queryTime: given('queryTime', query.get('queryTime')), planId: given('planId', query.get('planId'), plan) };
      // The map renews a closing lock; a vehicle's page only starts one where there is none.
      if (id === undefined) return ok(await quotes.quote(user, this.#onMap(query.get('area')), 'renew', seen));
      const quote = await quotes.quote(user, [word('id', id)], 'start', seen);
      return quote?.scooters.length ? ok(quote) : { status: 404, body: { error: `there is no scooter ${id}` } };
    }

    if (resource === 'rents' && method === 'POST' && id === undefined) {
      const reserved = await rents.reserve(userOf(request), {
        rentId: body['rentId'] === undefined ? randomUUID() : word('rentId', body['rentId']),
        vehicleId: word('vehicleId', body['vehicleId']),
        planId: plan('planId', body['planId']),
        queryTime: given('queryTime', body['queryTime']),
      });
      if ('rent' in reserved) return { status: 201, body: reserved.rent };
      return { status: 409, body: { error: 'new quote', quote: reserved.newQuote ?? null } };
    }

    if (resource === 'rents' && method === 'PATCH' && id !== undefined) {
      const step = body['step'];
      if (step !== 'start' && step !== 'return') throw new BadRequest("step takes 'start' or 'return'");
      const rent = await rents.step(userOf(request), word('id', id), step);
      return rent ? ok(rent) : { status: 404, body: { error: `there is no rent ${id} to ${step}` } };
    }
    return undefined;
  }

  #onMap(area: string | null): string[] {
    if (area === null) return [...this.fleet.all];
    if (!/^\d{1,4}$/.test(area)) throw new BadRequest('area takes a number from 0');
    return this.fleet.area(Number(area));
  }
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** Who asks, as the gateway before the pods has found. */
function userOf({ headers }: Request): User {
  const roles = headers['x-role-ids'];
  const roleIds = typeof roles === 'string' && roles !== '' ? roles.split(',') : [];
  return { id: word('x-user-id', headers['x-user-id']), roleIds: roleIds.map((id) => word('x-role-ids', id)) };
}

function word(name: string, value: unknown): string {
  if (typeof value === 'string' && /^[\w-]{1,64}$/.test(value)) return value;
  throw new BadRequest(`${name} takes 1 to 64 letters, digits, '_' and '-'`);
}

/** An id with or without its tag, but not a tag alone. */
function plan(name: string, value: unknown): string {
  if (value !== OLD) return word(name, value);
  throw new BadRequest(`${name} takes the id of a plan`);
}

/** What may be left out. */
function given(name: string, value: unknown, read = text): string | undefined {
  return value === undefined || value === null ? undefined : read(name, value);
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value.length <= 64) return value;
  throw new BadRequest(`${name} takes a text of at most 64 characters`);
}
