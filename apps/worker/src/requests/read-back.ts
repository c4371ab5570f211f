/**
 * Reads a finished object back, range by range, and compares it with its CRC32 and, if the file is unchanged since it
 * was sealed, byte by byte with the file. SHA-256 of both lets users check the result with their own tools. Memory is
 * limited to one range; a range that breaks off is read again.
 */
import {
  FileError,
  StoreError,
  backoffMs,
  crc32ToBase64,
  type Clock,
  type FileFacts,
  type FileSource,
  type ObjectStore,
  type OpenFile,
} from "@sluice/core";
import type { NativeDigests, RunningHash } from "../files/native-digests.ts";
import { compared, wholeCrc, type Check, type Expected } from "./verify-report.ts";

export interface ReadBackDeps {
  store: Pick<ObjectStore, "read">;
  files: Pick<FileSource, "open">;
  digests: NativeDigests;
  clock: Clock;
  random(): number;
  signal: AbortSignal;
}

/** The file that the object was made from, as it was sealed. */
export interface SealedFile {
  path: string;
  facts: Pick<FileFacts, "inode" | "size" | "mtimeNs">;
}

/** In hex. */
export interface Sha256 {
  object: string;
  /** Absent if the file was not read to its end. */
  file?: string;
}

/**
 * The local file beside the object. `changed`: since it was sealed. `unread`: it cannot be read, or is not on this worker's
 * source. `unknown`: no record says which file it was.
 */
export type FileBeside = "same" | "differs" | "changed" | "unread" | "gone" | "unknown";

export interface ReadBack {
  checks: Check[];
  sha256: Sha256;
  file: FileBeside;
}

const RANGE_BYTES = 32 * 1024 * 1024;
const ATTEMPTS = 5;

export async function readBack(
  expected: Expected,
  sealed: SealedFile | "elsewhere" | "unknown",
  deps: ReadBackDeps,
): Promise<ReadBack> {
  const opened = typeof sealed === "string" ? NOT_HERE[sealed] : await openSealed(sealed, deps.files);
  await using file = "file" in opened ? opened.file : undefined;
  let state: Progress = {
    crc: 0,
    object: deps.digests.sha256(),
    local: deps.digests.sha256(),
    differsAt: undefined,
    uncompared: "file" in opened ? undefined : opened,
  };
  for (let from = 0; from < expected.size; from += RANGE_BYTES) {
    const to = Math.min(expected.size, from + RANGE_BYTES);
    state = await readRange(expected, { from, to }, state, file, deps);
  }
  if (file && typeof sealed !== "string" && !isAsSealed(await file.facts(), sealed))
    state.uncompared ??= CHANGED;
  const crc = crc32ToBase64(state.crc);
  const wanted = wholeCrc(expected);
  const content: Check =
    wanted === undefined
      ? { name: "content", ok: null, detail: `read back, its CRC32 is ${crc}; none was recorded` }
      : compared("content", wanted, crc);
  const sha256: Sha256 = { object: state.object.digest("hex") };
  if (state.uncompared === undefined) sha256.file = state.local.digest("hex");
  const { is, check } = fileCheck(state);
  return { checks: [content, check], sha256, file: is };
}

/** Why the file was not compared, or not to its end. */
interface Uncompared {
  is: FileBeside;
  why: string;
}

const CHANGED: Uncompared = { is: "changed", why: "the file has changed since it was sealed" };
const NOT_HERE: Readonly<Record<"elsewhere" | "unknown", Uncompared>> = {
  elsewhere: { is: "unread", why: "the file is not on this worker's source" },
  unknown: { is: "unknown", why: "its record is no longer kept, which says what file it was" },
};

interface Progress {
  crc: number;
  object: RunningHash;
  local: RunningHash;
  /** The first byte at which file and object differ. */
  differsAt: number | undefined;
  uncompared: Uncompared | undefined;
}

function fileCheck({ differsAt, uncompared }: Progress): { is: FileBeside; check: Check } {
  const name = "file";
  // The bytes of a file that changed while it was read say nothing about the object.
  if (uncompared !== undefined && (differsAt === undefined || uncompared === CHANGED))
    return { is: uncompared.is, check: { name, ok: null, detail: uncompared.why } };
  if (differsAt !== undefined)
    return {
      is: "differs",
      check: { name, ok: false, detail: `differs from the object at byte ${differsAt}` },
    };
  return { is: "same", check: { name, ok: true, detail: "every byte is the same" } };
}

async function openSealed(
  sealed: SealedFile,
  files: ReadBackDeps["files"],
): Promise<{ file: OpenFile } | Uncompared> {
  const opened = await files.open(sealed.path);
  if (opened.kind === "missing") return { is: "gone", why: "the file no longer exists" };
  if (opened.kind !== "file") return { is: "unread", why: "the file cannot be read" };
  if (isAsSealed(await opened.file.facts(), sealed)) return { file: opened.file };
  await opened.file[Symbol.asyncDispose]();
  return CHANGED;
}

function isAsSealed(now: FileFacts, { facts }: SealedFile): boolean {
  return now.inode === facts.inode && now.size === facts.size && now.mtimeNs === facts.mtimeNs;
}

async function readRange(
  { bucket, key }: Expected,
  range: { from: number; to: number },
  before: Progress,
  file: OpenFile | undefined,
  { store, digests, clock, random, signal }: ReadBackDeps,
): Promise<Progress> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      let now = { ...before, object: before.object.copy(), local: before.local.copy() };
      let at = range.from;
      for await (const chunk of store.read({ bucket, key }, { first: range.from, last: range.to - 1 })) {
        now.object.update(chunk);
        now = { ...now, crc: digests.crc32(chunk, now.crc), ...(await compareFile(file, chunk, at, now)) };
        at += chunk.length;
      }
      return now;
    } catch (error) {
      const isTemporary =
        error instanceof StoreError && ["unreachable", "failing", "throttled"].includes(error.trouble);
      if (!isTemporary || attempt >= ATTEMPTS) throw error;
      await clock.sleep(backoffMs(attempt, random()), signal);
    }
  }
}

/** An error of the local volume says nothing about the object. */
async function compareFile(
  file: OpenFile | undefined,
  chunk: Uint8Array,
  offset: number,
  { local, differsAt, uncompared }: Progress,
): Promise<Partial<Progress>> {
  if (!file || uncompared !== undefined) return {};
  try {
    const buffer = new Uint8Array(chunk.length);
    const bytes = buffer.subarray(0, await file.read(buffer, offset));
    local.update(bytes);
    return differsAt === undefined ? { differsAt: firstDifference(bytes, chunk, offset) } : {};
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return { uncompared: { is: "unread", why: `the file cannot be read: ${error.message}` } };
  }
}

function firstDifference(bytes: Uint8Array, chunk: Uint8Array, offset: number): number | undefined {
  if (Buffer.compare(bytes, chunk) === 0) return undefined;
  return offset + chunk.findIndex((byte, at) => byte !== bytes[at]);
}
