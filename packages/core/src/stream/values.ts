/** Scalars that must not be mixed up carry a brand; each is checked once, where it enters. */
import { assert } from "../assert.ts";

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Lower-case ULID for streams of ours; ids of earlier phases are opaque and accepted. */
export type StreamId = Brand<string, "StreamId">;
/** 1 to 10,000, as S3 counts parts. */
export type PartNumber = Brand<number, "PartNumber">;
/** A position or a length in a file, in bytes. */
export type ByteOffset = Brand<number, "ByteOffset">;
/** Grows by one with each change of a stream's owner. */
export type Fence = Brand<number, "Fence">;

export const MAX_PARTS = 10_000;

export function streamId(text: string): StreamId {
  assert(text.length > 0, "a stream id is not empty");
  return text as StreamId;
}

export function partNumber(n: number): PartNumber {
  assert(Number.isInteger(n) && n >= 1 && n <= MAX_PARTS, `part number ${n} is within 1..${MAX_PARTS}`);
  return n as PartNumber;
}

export function byteOffset(n: number): ByteOffset {
  assert(Number.isSafeInteger(n) && n >= 0, `byte offset ${n} is a safe integer, not negative`);
  return n as ByteOffset;
}

export function fence(n: number): Fence {
  assert(Number.isSafeInteger(n) && n >= 0, `fence ${n} is a safe integer, not negative`);
  return n as Fence;
}
