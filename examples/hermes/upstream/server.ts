import { Server, ServerCredentials, type ServiceError, type handleUnaryCall, status } from '@grpc/grpc-js';

import type { Book, Pricing } from './book.js';
import { type Faults, suffer } from './faults.js';
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

/** VS and PS on one port. */
export class Upstream {
  readonly #server = new Server();
  calls = 0;

  constructor(
    readonly book: Book,
    public faults: Faults,
  ) {
    this.#server.addService(Vehicles.service, {
      getTags: this.#unary<TagsRequest, TagsReply>(({ vehicleIds, rentFlow, queryTime }) => {
        const [moment, now] = [momentOf(queryTime), Date.now()];
        const vehicles = vehicleIds.flatMap((vehicleId) => {
          const tags = this.book.tags(vehicleId, rentFlow, moment, now);
          return tags ? [{ vehicleId, ...tags }] : [];
        });
        return { vehicles };
      }),
      getParkingLots: this.#unary<ParkingLotsRequest, ParkingLotsReply>(({ parkingLotIds }) => {
        const all = this.book.parkingLots();
        if (parkingLotIds.length === 0) return { parkingLots: all };
        return { parkingLots: all.filter(({ parkingLotId }) => parkingLotIds.includes(parkingLotId)) };
      }),
    });
    this.#server.addService(Core.service, { getRules: this.#rules('Core') });
    this.#server.addService(Legacy.service, { getRules: this.#rules('Legacy') });
  }

  /** Listens, and returns the port. */
  listen(port = 0): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
        if (error) reject(error);
        else resolve(bound);
      });
    });
  }

  close(): void {
    this.#server.forceShutdown();
  }

  #rules(pricing: Pricing): handleUnaryCall<RulesRequest, RulesReply> {
    return this.#unary(({ pricingIds, roleIds, isoStringAtQuote }) => {
      const [moment, now] = [momentOf(isoStringAtQuote), Date.now()];
      const pricings = pricingIds.flatMap((pricingId) => {
        const plans = this.book.rules(pricing, pricingId, roleIds.map(String), moment, now);
        return plans.length ? [{ pricingId, plans }] : [];
      });
      return { pricings };
    });
  }

  #unary<Request, Reply>(answer: (request: Request) => Reply): handleUnaryCall<Request, Reply> {
    return ({ request }, callback) => {
      this.calls += 1;
      suffer(this.faults).then(
        () => {
          try {
            callback(null, answer(request));
          } catch (error) {
            callback(failure(status.INVALID_ARGUMENT, error));
          }
        },
        (error: unknown) => callback(failure(status.UNAVAILABLE, error)),
      );
    };
  }
}

function momentOf(text: string): number {
  const moment = Date.parse(text);
  if (Number.isNaN(moment)) throw new RangeError(`'${text}' is not a moment`);
  return moment;
}

function failure(code: status, error: unknown): Partial<ServiceError> {
  return { code, details: error instanceof Error ? error.message : String(error) };
}
