/** Names, sizes, rules and bytes that tests of the domain share. */
import { assert } from "../assert.ts";
import { DEFAULT_TEMPORARY_SUFFIXES, TemporaryNames } from "../stream/temporary-names.ts";
import type { WatchRules } from "../flow/dependencies.ts";
import type { FileFacts } from "../stream/identity.ts";
import { newRecord, type NewRecord } from "../stream/new-record.ts";
import type { StreamRecord } from "../stream/record.ts";

export const BUCKET = "recordings";
export const SOURCE = "box";
export const ROOT = "/inbox";
/** The smallest part there is, so that tests move few bytes. */
export const PART = 5 * 1024 * 1024;

export function defaultRules(): WatchRules {
  return {
    name: "inbox",
    root: ROOT,
    idleTimeoutMs: 30_000,
    idleMaxMs: 600_000,
    ignoreOpen: false,
    verify: "full",
    temporaryNames: new TemporaryNames(DEFAULT_TEMPORARY_SUFFIXES),
    onConflict: "keep-both",
    onReplace: "keep-both",
    afterUpload: { kind: "keep" },
    tidyUnseen: false,
    historyMs: 7 * 24 * 3_600_000,
    plan: { kind: "stepped", partBytes: PART, expectedMaxBytes: 100 * 1024 ** 3, maxParts: 10_000 },
    metadata: {},
  };
}

export const FACTS: FileFacts = {
  size: 9,
  inode: "7",
  device: "1",
  birthtimeNs: "1",
  mtimeNs: "2",
  ctimeNs: "3",
};

/** What a stream of `a.bin` in the inbox begins with. */
export const NEW_RECORD: NewRecord = {
  id: "s1",
  path: `${ROOT}/a.bin`,
  source: SOURCE,
  watch: "inbox",
  bucket: BUCKET,
  keyPrefix: "",
  contentType: "video/mp4",
  verify: "full",
  plan: defaultRules().plan,
  owner: "w1",
  nowUtc: "2026-01-01T00:00:00.000Z",
  facts: FACTS,
};

export function newStream(over: Partial<NewRecord> = {}): StreamRecord {
  return newRecord({ ...NEW_RECORD, ...over });
}

/** Bytes that differ from place to place and from seed to seed, made quickly: windows of one long noise. */
export function sampleBytes(size: number, seed: number): Uint8Array {
  noise ??= makeNoise();
  const from = ((seed * 40_503) % (NOISE_BYTES / 2 / 64)) * 64;
  assert(from + size <= NOISE_BYTES, "a sample fits the noise");
  return noise.slice(from, from + size);
}

const NOISE_BYTES = 64 * 1024 * 1024;
let noise: Uint8Array | undefined;

function makeNoise(): Uint8Array {
  const words = new Uint32Array(NOISE_BYTES / 4);
  let state = 1;
  for (let at = 0; at < words.length; at += 1) {
    // A new word every 64 bytes tells any two places apart; the words between follow from it.
    if (at % 16 === 0) state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    words[at] = state + at;
  }
  return new Uint8Array(words.buffer);
}

/** Quick for many megabytes, where a test library's deep comparison is not. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  const words = a.byteOffset % 4 === 0 && b.byteOffset % 4 === 0 ? Math.floor(a.length / 4) : 0;
  const one = new Uint32Array(a.buffer, a.byteOffset, words);
  const two = new Uint32Array(b.buffer, b.byteOffset, words);
  for (let at = 0; at < words; at += 1) {
    if (one[at] !== two[at]) return false;
  }
  for (let at = words * 4; at < a.length; at += 1) {
    if (a[at] !== b[at]) return false;
  }
  return true;
}
