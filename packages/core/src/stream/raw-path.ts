/**
 * A path is bytes; here it is a string without any loss. Bytes that are not UTF-8 become the lone surrogates
 * U+DC80..U+DCFF (Python's "surrogateescape"), so ordinary paths stay ordinary strings and every path maps back
 * exactly.
 */
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const ESCAPED = /[\udc80-\udcff]/;

/** Bytes of a path from the file system → string. */
export function decodePath(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeByRuns(bytes);
  }
}

/** The exact bytes that `decodePath` got. */
export function encodePath(path: string): Uint8Array {
  if (!isEscaped(path)) return encoder.encode(path);
  const pieces: Uint8Array[] = [];
  for (const run of splitEscapes(path)) {
    pieces.push(run.escaped ? Uint8Array.of(run.text.charCodeAt(0) - 0xdc00) : encoder.encode(run.text));
  }
  return concat(pieces);
}

/** For people, JSON and logs: bytes that are not UTF-8 become %XX. */
export function displayPath(path: string): string {
  if (!isEscaped(path)) return path;
  return splitEscapes(path)
    .map((run) => (run.escaped ? percent(run.text.charCodeAt(0) - 0xdc00) : run.text))
    .join("");
}

/** `%0A`: a byte (0 to 255) as paths are displayed. */
export function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

/** Whether a path has bytes that are not UTF-8. A lone surrogate is distinguished from one half of a pair. */
export function isEscaped(path: string): boolean {
  return ESCAPED.test(path) && !path.isWellFormed();
}

interface Run {
  text: string;
  escaped: boolean;
}

/** Code points in order; lone low surrogates, which only `decodePath` makes, are marked. */
export function splitEscapes(path: string): Run[] {
  const runs: Run[] = [];
  let plain = "";
  for (const point of path) {
    if (point.length === 1 && ESCAPED.test(point)) {
      if (plain !== "") runs.push({ text: plain, escaped: false });
      plain = "";
      runs.push({ text: point, escaped: true });
    } else plain += point;
  }
  if (plain !== "") runs.push({ text: plain, escaped: false });
  return runs;
}

function decodeByRuns(bytes: Uint8Array): string {
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      text += String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
      at += 1;
    } else {
      text += strict.decode(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return text;
}

/** Length of the valid UTF-8 sequence at `at`, or 0. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  try {
    strict.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

function concat(pieces: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
