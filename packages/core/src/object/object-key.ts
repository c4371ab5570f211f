/**
 * One file, one key. The path's UTF-8 text is used unchanged; only characters that a key or XML cannot contain become
 * %XX, and a key over S3's 1,024 bytes is truncated and ends in `~<hash>`. The exact name is in the metadata object.
 */
import { percent, splitEscapes } from "../stream/raw-path.ts";

export const MAX_KEY_BYTES = 1024;
const METADATA_SUFFIX = ".metadata.json";
/** Names tried for one metadata object. */
export const MAX_METADATA_NUMBER = 999;

const encoder = new TextEncoder();

/**
 * `finalPath`: below the watch, without a temporary suffix; it may contain escaped bytes. `hash` gives a short hex
 * digest of a text (it keeps truncated keys distinct).
 */
export function objectKey(prefix: string, finalPath: string, hash: (text: string) => string): string {
  const key = prefix + keyText(finalPath);
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

/** `number` 2 and up: if another program's object has the first name. */
export function metadataKey(key: string, number = 1): string {
  return number <= 1 ? key + METADATA_SUFFIX : `${key}.metadata-${number}.json`;
}

/** Whether a file's own key may be the name of another object's metadata. */
export function looksLikeMetadataKey(key: string): boolean {
  return /.\.metadata(?:-\d+)?\.json$/.test(key);
}

/** The metadata object of a stream; its record contains the name if it is not `<s3_key>.metadata.json`. */
export function metadataKeyOf(record: { s3_key: string; s3_metadata_key?: string | undefined }): string {
  return record.s3_metadata_key ?? metadataKey(record.s3_key);
}

/** Data and metadata key of a stream, as in `streams:by_key`; none before its key is fixed. */
export function takenKeys(record: {
  s3_bucket: string;
  s3_key?: string | undefined;
  s3_metadata_key?: string | undefined;
}): string[] {
  const { s3_bucket: bucket, s3_key } = record;
  if (s3_key === undefined || s3_key === "") return [];
  return [s3_key, metadataKeyOf({ ...record, s3_key })].map((name) => `${bucket}/${name}`);
}

/** Escaped bytes and characters that XML 1.0 cannot contain become %XX of their UTF-8 bytes. */
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

/** The metadata key must fit too, so the data key reserves space for its suffix. */
function fitKey(stem: string, ending: string, hash: (text: string) => string): string {
  const available = MAX_KEY_BYTES - metadataKey("", MAX_METADATA_NUMBER).length;
  const whole = stem + ending;
  if (encoder.encode(whole).length <= available) return whole;
  const tail = `~${hash(whole)}`;
  return cutToBytes(whole, available - tail.length) + tail;
}

function cutToBytes(text: string, bytes: number): string {
  const target = new Uint8Array(bytes);
  const { read } = encoder.encodeInto(text, target);
  return text.slice(0, read);
}
