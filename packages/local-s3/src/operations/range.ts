/** One byte range of RFC 9110; malformed or multiple ranges are ignored, as in S3. */
import { S3Error } from "../errors.ts";

export interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** Undefined: the whole object. Throws InvalidRange when nothing of the range exists. */
export function parseRange(range: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range?.trim() ?? "");
  if (match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const length = Math.min(Number(last), size);
    if (length === 0) throw unsatisfiable(range, size);
    return { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) throw unsatisfiable(range, size);
  return { start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}

const unsatisfiable = (range: string | undefined, size: number): S3Error =>
  new S3Error("InvalidRange", "The requested range is not satisfiable", {
    fields: { RangeRequested: range ?? "", ActualObjectSize: String(size) },
    headers: { "content-range": `bytes */${size}` },
  });
