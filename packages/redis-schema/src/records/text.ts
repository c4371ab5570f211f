/**
 * Redis stores bytes; here they are strings without any loss. Text that is not UTF-8 (a path) keeps its bytes both
 * ways; everything else is plain UTF-8.
 */
import { decodePath, encodePath, isEscaped } from "@sluice/core";

/** The types of command arguments. */
export type Arg = string | number | Buffer;

/** Field → value of a hash in Redis. */
export type RawHash = Readonly<Record<string, string>>;

/** A text as an argument of a command: bytes that are not UTF-8 go back to what they were. */
export function toArg(text: string): string | Buffer {
  return isEscaped(text) ? Buffer.from(encodePath(text)) : text;
}

/** A reply as text; bytes that are not UTF-8 are kept, so that `toArg` finds them again. */
export function fromBuffer(bytes: Uint8Array): string {
  return decodePath(bytes);
}

/** A reply of HGETALL with buffers. */
export function fromBuffers(hash: Readonly<Record<string, Uint8Array>>): RawHash {
  const text: Record<string, string> = {};
  for (const [field, value] of Object.entries(hash)) text[field] = decodePath(value);
  return text;
}

/** A flat list field, value, field, value … as in the replies of scripts and HSCAN. */
export function fromFlatBuffers(flat: readonly unknown[]): RawHash {
  const text: Record<string, string> = {};
  for (let at = 0; at + 1 < flat.length; at += 2) text[bytesText(flat[at])] = bytesText(flat[at + 1]);
  return text;
}

function bytesText(value: unknown): string {
  return value instanceof Uint8Array ? decodePath(value) : String(value);
}

/** Field, value, field, value …: the arguments of HSET. Absent values are left out. */
export function toFlatArgs(fields: Readonly<Record<string, string | number | undefined>>): Arg[] {
  const flat: Arg[] = [];
  for (const [field, value] of Object.entries(fields)) {
    if (value !== undefined) flat.push(field, typeof value === "string" ? toArg(value) : String(value));
  }
  return flat;
}

/** `<source>:<path>`: the field of hashes by path. */
export function pathField(source: string, path: string): string {
  return `${source}:${path}`;
}

/** The path of such a field; undefined if it belongs to another source. */
export function pathOfField(source: string, field: string): string | undefined {
  return field.startsWith(`${source}:`) ? field.slice(source.length + 1) : undefined;
}
