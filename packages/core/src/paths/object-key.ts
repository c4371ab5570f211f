/**
 * One file, one key. The path's UTF-8 text is used unchanged; only what a key or XML cannot carry becomes %XX,
 * and a key over S3's 1,024 bytes is cut and ends in `~<hash>`. The exact name is in the metadata object.
 */
import { percent, splitEscapes } from "./raw-path.ts";

export const MAX_KEY_BYTES = 1024;
export const METADATA_SUFFIX = ".metadata.json";
/** Suffixes a writer drops by rename when the file is complete. */
export const TEMPORARY_SUFFIXES = [".part", ".tmp", ".partial"] as const;
export const MARKER_SUFFIX = ".done";

const encoder = new TextEncoder();

/** `relativePath` may hold escaped bytes; `hash` gives a short hex digest of a text (it keeps cut keys apart). */
export function objectKey(prefix: string, relativePath: string, hash: (text: string) => string): string {
  const key = prefix + keyText(withoutTemporarySuffix(relativePath));
  return fitKey(key, "", hash);
}

/** `<stem>-2<ext>` for the second object that wants the same key, `-3` for the third … */
export function numberedKey(key: string, attempt: number, hash: (text: string) => string): string {
  if (attempt <= 1) return key;
  const slash = key.lastIndexOf("/") + 1;
  const dot = key.lastIndexOf(".");
  const cut = dot > slash ? dot : key.length;
  return fitKey(key.slice(0, cut), `-${attempt}${key.slice(cut)}`, hash);
}

export function metadataKey(key: string): string {
  return key + METADATA_SUFFIX;
}

export function withoutTemporarySuffix(path: string): string {
  const suffix = temporarySuffix(path);
  return suffix === undefined ? path : path.slice(0, -suffix.length);
}

/** A name that is nothing but the suffix (`/.part`) is not a temporary name. */
export function temporarySuffix(path: string): string | undefined {
  return TEMPORARY_SUFFIXES.find((suffix) => {
    const stem = path.slice(0, -suffix.length);
    return path.endsWith(suffix) && stem !== "" && !stem.endsWith("/");
  });
}

/** Escaped bytes and characters XML 1.0 cannot carry become %XX of their UTF-8 bytes. */
function keyText(path: string): string {
  return splitEscapes(path)
    .map((run) => (run.escaped ? percent(run.text.charCodeAt(0) - 0xdc00) : xmlSafe(run.text)))
    .join("");
}

// Written by code point: control characters except tab and line feed, and the two non-characters. A carriage
// return is legal XML but is read back as a line feed, so it is escaped too.
const NOT_XML = /[\u0000-\u0008\u000b-\u001f\u007f\ufffe\uffff]/g;

function xmlSafe(text: string): string {
  return text.replace(NOT_XML, (character) => [...encoder.encode(character)].map(percent).join(""));
}

/** The metadata key must fit as well, so the data key leaves room for its suffix. */
function fitKey(stem: string, ending: string, hash: (text: string) => string): string {
  const room = MAX_KEY_BYTES - METADATA_SUFFIX.length;
  const whole = stem + ending;
  if (encoder.encode(whole).length <= room) return whole;
  const tail = `~${hash(whole)}`;
  return cutToBytes(whole, room - tail.length) + tail;
}

function cutToBytes(text: string, bytes: number): string {
  const target = new Uint8Array(bytes);
  const { read } = encoder.encodeInto(text, target);
  return text.slice(0, read);
}
