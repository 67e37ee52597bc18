import { setTimeout as sleep } from 'node:timers/promises';

import { type Client, credentials, status } from '@grpc/grpc-js';

import type { ParkingLot, PlanRule, Pricing, Tags } from './book.js';
import {
  Core,
  Legacy,
  type ParkingLotsReply,
  type ParkingLotsRequest,
  type RulesReply,
  type RulesRequest,
  type TagsReply,
  type TagsRequest,
  Vehicles,
} from './grpc.js';

/** Upstream did not answer, even after retries. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
}

/** All attempts together take less time than a screen may. */
const DEADLINE_MS = 1500;
const ATTEMPTS = 3;
const AGAIN_MS = 50;

/** What each call goes through. */
export type Around = <Reply>(method: string, request: object, send: () => Promise<Reply>) => Promise<Reply>;

/** A pod's client for VS and PS. A call that fails or is late is retried. */
export class UpstreamClient {
  readonly #vehicles: Client;
  readonly #pricing: Record<Pricing, Client>;
  /** Every call made, including failed ones. */
  calls = 0;

  constructor(
    address: string,
    readonly around: Around = (_method, _request, send) => send(),
  ) {
    const open = credentials.createInsecure();
    this.#vehicles = new Vehicles(address, open);
    this.#pricing = { Core: new Core(address, open), Legacy: new Legacy(address, open) };
  }

  /** The tags of vehicles at a moment, by vehicle. */
  async tags(vehicleIds: string[], rentFlow: string, queryTime: string): Promise<Map<string, Tags>> {
    const request: TagsRequest = { vehicleIds, rentFlow, queryTime };
    const { vehicles } = await this.#ask<TagsReply>(this.#vehicles, 'getTags', request);
    return new Map(vehicles.map(({ vehicleId, ...tags }) => [vehicleId, tags]));
  }

  /** The parking lots of these ids, or all, as they are now. */
  async parkingLots(parkingLotIds: string[] = []): Promise<ParkingLot[]> {
    const request: ParkingLotsRequest = { parkingLotIds };
    return (await this.#ask<ParkingLotsReply>(this.#vehicles, 'getParkingLots', request)).parkingLots;
  }

  /** The rules of pricings at a moment for these roles, by pricing. */
  async rules(
    pricing: Pricing,
    pricingIds: string[],
    roleIds: string[],
    isoStringAtQuote: string,
  ): Promise<Map<string, PlanRule[]>> {
    const request: RulesRequest = { pricingIds, roleIds: roleIds.map(roleNumber), isoStringAtQuote };
    const { pricings } = await this.#ask<RulesReply>(this.#pricing[pricing], 'getRules', request);
    return new Map(pricings.map(({ pricingId, plans }) => [pricingId, plans]));
  }

  close(): void {
    for (const client of [this.#vehicles, ...Object.values(this.#pricing)]) client.close();
  }

  async #ask<Reply>(client: Client, method: string, request: object): Promise<Reply> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.around(method, request, () => this.#once<Reply>(client, method, request));
      } catch (error) {
        const { code } = error as { code?: status };
        const again = code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED;
        if (!again || attempt === ATTEMPTS) throw new UpstreamError(`${method}: ${String(error)}`, { cause: error });
        await sleep(AGAIN_MS * attempt * (0.5 + Math.random()));
      }
    }
  }

  #once<Reply>(client: Client, method: string, request: object): Promise<Reply> {
    this.calls += 1;
    const call = (client as unknown as Record<string, Method<Reply>>)[method];
    if (!call) throw new TypeError(`no method ${method}`);
    return new Promise((resolve, reject) => {
      call.call(client, request, { deadline: Date.now() + DEADLINE_MS }, (error, reply) => {
        if (error) reject(error);
        else resolve(reply as Reply);
      });
    });
  }
}

/** PS takes roles as numbers, and would take any other text for role 0. */
function roleNumber(roleId: string): number {
  if (/^\d{1,9}$/.test(roleId)) return Number(roleId);
  throw new TypeError(`PS takes roles that are numbers, not '${roleId}'`);
}

type Method<Reply> = (request: object, options: object, callback: (error: Error | null, reply?: Reply) => void) => void;
