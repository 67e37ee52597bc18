import { randomUUID } from 'node:crypto';

import type { FastifyInstance, FastifyRequest } from 'fastify';

import { PricePlan } from 'quotelock';

import type { Fleet } from '../service/fleet.js';
import type { Quotes, Seen, User } from '../service/quotes.js';
import type { Rents } from '../service/rents.js';
import type { UpstreamClient } from '../upstream/client.js';
import { BadRequest } from './server.js';

export interface Service {
  quotes: Quotes;
  rents: Rents;
  upstream: UpstreamClient;
}

type Fields = Record<string, unknown>;

/** How the screens differ. */
export function addScreens(server: FastifyInstance, fleet: Fleet, serviceOf: (request: FastifyRequest) => Service): void {
  // The map renews a lock that is `CloseToExpired`; a vehicle's page only creates one if there is none.
  server.get<{ Querystring: Fields }>('/scooters', async (request) => {
    const { quotes } = serviceOf(request);
    return quotes.quote(userOf(request), onMap(fleet, request.query['area']), 'renew', seenIn(request.query));
  });

  server.get<{ Querystring: Fields; Params: { id: string } }>('/scooters/:id', async (request, reply) => {
    const { quotes } = serviceOf(request);
    const { id } = request.params;
    const quote = await quotes.quote(userOf(request), [word('id', id)], 'start', seenIn(request.query));
    return quote.scooters.length ? quote : reply.code(404).send({ error: `there is no scooter ${id}` });
  });

  // No price is shown: no lock is needed.
  server.get('/parking-lots', async (request) => {
    const lots = await serviceOf(request).upstream.parkingLots();
    return {
      parkingLots: lots.map(({ parkingLotId, name, vehicleIds }) => ({ parkingLotId, name, scooters: vehicleIds.length })),
    };
  });

  server.get<{ Querystring: Fields; Params: { id: string } }>('/parking-lots/:id', async (request, reply) => {
    const { quotes, upstream } = serviceOf(request);
    const [user, id, seen] = [userOf(request), word('id', request.params.id), seenIn(request.query)];
    const [lot] = await upstream.parkingLots([id]);
    if (!lot) return reply.code(404).send({ error: `there is no parking lot ${id}` });
    const { parkingLotId, name, vehicleIds } = lot;
    return { parkingLotId, name, ...(await quotes.quote(user, vehicleIds, 'start', seen)) };
  });

  server.post<{ Body: Fields | undefined }>('/rents', async (request, reply) => {
    const { rents } = serviceOf(request);
    const body = request.body ?? {};
    const reserved = await rents.reserve(userOf(request), {
      rentId: body['rentId'] === undefined ? randomUUID() : word('rentId', body['rentId']),
      vehicleId: word('vehicleId', body['vehicleId']),
      planId: plan('planId', body['planId']),
      queryTime: given('queryTime', body['queryTime']),
      pricingId: given('pricingId', body['pricingId']),
    });
    const { verdict } = reserved;
    if (verdict === 'Match') return reply.code(201).send({ verdict, ...reserved.rent });
    return reply.code(409).send({ verdict, error: 'ask the user again', quote: reserved.quote ?? null });
  });

  server.patch<{ Body: Fields | undefined; Params: { id: string } }>('/rents/:id', async (request, reply) => {
    const { rents } = serviceOf(request);
    const { id } = request.params;
    const step = request.body?.['step'];
    if (step !== 'start' && step !== 'return') throw new BadRequest("step takes 'start' or 'return'");
    const rent = await rents.step(userOf(request), word('id', id), step);
    return rent ?? reply.code(404).send({ error: `there is no rent ${id} to ${step}` });
  });
}

function onMap(fleet: Fleet, area: unknown): string[] {
  if (area === undefined) return [...fleet.all];
  if (typeof area !== 'string' || !/^\d{1,4}$/.test(area)) throw new BadRequest('area takes a number from 0');
  return fleet.area(Number(area));
}

function seenIn(query: Fields): Seen {
  return { queryTime: given('queryTime', query['queryTime']), planId: given('planId', query['planId'], plan) };
}

/** The user, as identified by the gateway in front of the pods. */
function userOf({ headers }: FastifyRequest): User {
  const roles = headers['x-role-ids'];
  const roleIds = typeof roles === 'string' && roles !== '' ? roles.split(',') : [];
  return { id: word('x-user-id', headers['x-user-id']), roleIds: roleIds.map(role) };
}

function role(id: string): string {
  if (/^\d{1,9}$/.test(id)) return id;
  throw new BadRequest('x-role-ids takes numbers of at most 9 digits');
}

function word(name: string, value: unknown): string {
  if (typeof value === 'string' && /^[\w-]{1,64}$/.test(value)) return value;
  throw new BadRequest(`${name} takes 1 to 64 letters, digits, '_' and '-'`);
}

/** An id with or without its tag, but not a tag alone. */
function plan(name: string, value: unknown): string {
  const id = word(name, value);
  if (PricePlan.bare(id) !== '') return id;
  throw new BadRequest(`${name} takes the id of a plan`);
}

/** Optional parameters. */
function given(name: string, value: unknown, read = text): string | undefined {
  return value === undefined || value === null ? undefined : read(name, value);
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value.length <= 64) return value;
  throw new BadRequest(`${name} takes a text of at most 64 characters`);
}
