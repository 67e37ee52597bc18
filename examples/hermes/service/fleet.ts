import { FIRST_VEHICLE } from '../upstream/book.js';

/** How many vehicles the map of one area shows. */
const AREA = 200;

/** The vehicles, and which of them the map shows for an area. */
export class Fleet {
  readonly all: readonly string[];

  constructor(vehicles: number) {
    this.all = Array.from({ length: vehicles }, (_, at) => String(FIRST_VEHICLE + at));
  }

  /** Areas are counted from 0; beyond the last one there are no vehicles. */
  area(number: number): string[] {
    return this.all.slice(number * AREA, (number + 1) * AREA);
  }
}
