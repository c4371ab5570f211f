/** A ULID in lower case: unique, and sorted by creation time. */
import { randomInt } from "node:crypto";
import { ulid } from "ulid";

const RANGE = 2 ** 32;

/** The library's own source of randomness calls the system for each of 16 letters; Node's buffers some. */
const chance = (): number => randomInt(RANGE) / RANGE;

export function newId(): string {
  return ulid(undefined, chance).toLowerCase();
}
