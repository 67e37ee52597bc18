import { fileURLToPath } from 'node:url';

import { type ServiceClientConstructor, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

import type { ParkingLot, PlanRule, Tags } from './book.js';

/** The messages of `proto/`, as `proto-loader` returns them. */
export interface TagsRequest {
  vehicleIds: string[];
  rentFlow: string;
  queryTime: string;
}
export interface TagsReply {
  vehicles: ({ vehicleId: string } & Tags)[];
}
export interface ParkingLotsRequest {
  parkingLotIds: string[];
}
export interface ParkingLotsReply {
  parkingLots: ParkingLot[];
}
export interface RulesRequest {
  pricingIds: string[];
  roleIds: number[];
  isoStringAtQuote: string;
}
export interface RulesReply {
  pricings: { pricingId: string; plans: PlanRule[] }[];
}

interface Packages {
  hermes: {
    vehicles: { Vehicles: ServiceClientConstructor };
    pricing: { Core: ServiceClientConstructor; Legacy: ServiceClientConstructor };
  };
}

// From dist/upstream/ as it is run.
const protos = ['vehicles', 'pricing'].map((name) =>
  fileURLToPath(new URL(`../../upstream/proto/${name}.proto`, import.meta.url)),
);
const { hermes } = loadPackageDefinition(loadSync(protos, { defaults: true })) as unknown as Packages;

export const { Vehicles } = hermes.vehicles;
export const { Core, Legacy } = hermes.pricing;
