/**
 * How much of an earlier object is still in the file at the same place. Bytes are counted, not parts: a part of 8 MiB
 * in which one byte changed is mostly unchanged. They are counted in short cells, because single bytes agree by chance:
 * every second byte of two quiet recordings is 0. A cell of one repeated byte (preallocation, silence) proves nothing.
 */

import type { ObjectRef } from "../ports/object-store.ts";
import type { PartRange } from "../stream/checkpoint.ts";

export const CELL_BYTES = 16;

export interface Tally {
  /** Bytes of the object that are unchanged in the file. */
  equal: number;
  /** Bytes of the object that were compared and count, including `equal`. */
  counted: number;
  /** Bytes of the object that were not compared yet. */
  unread: number;
}

/** A range of the object, and what is known about its bytes. */
export interface KnownRange extends Pick<PartRange, "offset" | "bytes"> {
  crc?: number | undefined;
  md5?: string | undefined;
}

/** The object that the file so far begins like. */
export interface CopyOf {
  ref: ObjectRef;
  size: number;
  /** Its parts in order; a file that differs from one of them is no copy. */
  ranges: readonly KnownRange[];
  /** Parts that are known to be equal. */
  equal: number;
  /** The first bytes of the first part were read back, before the file had all of it. */
  begun: boolean;
}

/** A range of the object. What the file has beyond the object's end is new. */
export interface ComparedRange extends Pick<PartRange, "offset" | "bytes"> {
  /** `different`: in at least one byte. `unread`: not compared, or its content is unknown. */
  is: "same" | "different" | "unread";
  /** The digest that proves it. */
  proof?: "crc32" | "md5";
}

export interface Comparison {
  /** At least half of the object's bytes are unchanged at the same place. */
  matches: boolean;
  /** The whole object, in order. */
  ranges: readonly ComparedRange[];
}

/** `open`: the bytes that were not compared decide. */
export type Verdict = "matches" | "another" | "open";

/** At least half of the bytes that count. An object that proves nothing about its file is no loss. */
export function judgeTally({ equal, counted, unread }: Tally): Verdict {
  if (2 * equal >= counted + unread) return "matches";
  return 2 * (equal + unread) < counted + unread ? "another" : "open";
}

/** Compares the object's bytes with the file's from the same offset on. */
export function compareCells(object: Uint8Array, file: Uint8Array): Pick<Tally, "equal" | "counted"> {
  let equal = 0;
  let counted = 0;
  for (let at = 0; at < object.length; at += CELL_BYTES) {
    const end = Math.min(at + CELL_BYTES, object.length);
    if (isConstant(object, at, end)) continue;
    counted += end - at;
    if (isEqual(object, file, at, end)) equal += end - at;
  }
  return { equal, counted };
}

/** How many of these bytes count. */
export function countedBytes(bytes: Uint8Array): number {
  let counted = 0;
  for (let at = 0; at < bytes.length; at += CELL_BYTES) {
    const end = Math.min(at + CELL_BYTES, bytes.length);
    if (!isConstant(bytes, at, end)) counted += end - at;
  }
  return counted;
}

function isConstant(bytes: Uint8Array, from: number, end: number): boolean {
  for (let at = from + 1; at < end; at += 1) if (bytes[at] !== bytes[from]) return false;
  return true;
}

function isEqual(a: Uint8Array, b: Uint8Array, from: number, end: number): boolean {
  for (let at = from; at < end; at += 1) if (a[at] !== b[at]) return false;
  return true;
}
