/** Branded types for scalars that must not be mixed up; each is checked once, where it enters. */
import { assert } from "../assert.ts";

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A lower-case ULID for streams of this version; ids of early versions are opaque and accepted. */
export type StreamId = Brand<string, "StreamId">;
/** 1 to 10,000, as S3 counts parts. */
export type PartNumber = Brand<number, "PartNumber">;

export const MAX_PARTS = 10_000;

/** A text as a stream's id. An empty one is a bug: InvariantError. */
export function streamId(text: string): StreamId {
  assert(text.length > 0, "a stream id is not empty");
  return text as StreamId;
}

/** A number as that of a part, 1 to 10,000. Any other is a bug: InvariantError. */
export function partNumber(n: number): PartNumber {
  assert(Number.isInteger(n) && n >= 1 && n <= MAX_PARTS, `part number ${n} is within 1..${MAX_PARTS}`);
  return n as PartNumber;
}
