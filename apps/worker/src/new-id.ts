/** A ULID in lower case: never given twice, and sorted by the time it was made. */
import { randomInt } from "node:crypto";
import { ulid } from "ulid";

const RANGE = 2 ** 32;

/** The same source of chance as the library's own, which asks it anew for each of 16 letters; Node keeps some in hand. */
const chance = (): number => randomInt(RANGE) / RANGE;

export function newId(): string {
  return ulid(undefined, chance).toLowerCase();
}
