/**
 * Reads a finished object back, range by range, and compares it with its CRC32 and, where the file is there as it was
 * sealed, byte by byte with the file. Memory is bound to one range; a range that breaks off is read again.
 */
import {
  StoreError,
  backoffMs,
  crc32ToBase64,
  type Clock,
  type Digests,
  type FileFacts,
  type FileSource,
  type ObjectStore,
  type OpenFile,
} from "@sluice/core";
import { compared, wholeCrc, type Check, type Expected } from "./verify-report.ts";

export interface ReadBackDeps {
  store: ObjectStore;
  files: FileSource;
  digests: Digests;
  clock: Clock;
  signal: AbortSignal;
}

/** The file the object was made from, as it was sealed. */
export interface SealedFile {
  path: string;
  facts: Pick<FileFacts, "inode" | "size" | "mtimeNs">;
}

const RANGE_BYTES = 32 * 1024 * 1024;
const ATTEMPTS = 5;

export async function readBack(
  expected: Expected,
  sealed: SealedFile | undefined,
  deps: ReadBackDeps,
): Promise<Check[]> {
  const opened = sealed
    ? await openSealed(sealed, deps.files)
    : { why: "the file is not on this worker's source" };
  await using file = "file" in opened ? opened.file : undefined;
  let state: Progress = { crc: 0, differsAt: undefined };
  for (let from = 0; from < expected.size; from += RANGE_BYTES) {
    const to = Math.min(expected.size, from + RANGE_BYTES);
    state = await readRange(expected, { from, to }, state, file, deps);
  }
  const crc = crc32ToBase64(state.crc);
  const wanted = wholeCrc(expected);
  const content: Check =
    wanted === undefined
      ? { name: "content", ok: null, detail: `read back, its CRC32 is ${crc}; none was recorded` }
      : compared("content", wanted, crc);
  return [content, fileCheck(state, "why" in opened ? opened.why : undefined)];
}

interface Progress {
  crc: number;
  /** First byte at which file and object differ. */
  differsAt: number | undefined;
}

function fileCheck({ differsAt }: Progress, why: string | undefined): Check {
  if (why !== undefined) return { name: "file", ok: null, detail: why };
  return differsAt === undefined
    ? { name: "file", ok: true, detail: "every byte is the same" }
    : { name: "file", ok: false, detail: `differs from the object at byte ${differsAt}` };
}

async function openSealed(
  { path, facts }: SealedFile,
  files: FileSource,
): Promise<{ file: OpenFile } | { why: string }> {
  const opened = await files.open(path);
  if (opened.kind !== "file") return { why: "the file is not there any more, or cannot be read" };
  const now = await opened.file.facts();
  if (now.inode === facts.inode && now.size === facts.size && now.mtimeNs === facts.mtimeNs)
    return { file: opened.file };
  await opened.file[Symbol.asyncDispose]();
  return { why: "the file has changed since it was sealed" };
}

async function readRange(
  { bucket, key }: Expected,
  range: { from: number; to: number },
  before: Progress,
  file: OpenFile | undefined,
  { store, digests, clock, signal }: ReadBackDeps,
): Promise<Progress> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      let { crc, differsAt } = before;
      let at = range.from;
      for await (const chunk of store.read({ bucket, key }, range)) {
        crc = digests.crc32(chunk, crc);
        if (file && differsAt === undefined) differsAt = await firstDifference(file, chunk, at);
        at += chunk.length;
      }
      return { crc, differsAt };
    } catch (error) {
      const heals =
        error instanceof StoreError && (error.trouble === "unreachable" || error.trouble === "throttled");
      if (!heals || attempt >= ATTEMPTS) throw error;
      await clock.sleep(backoffMs(attempt, Math.random()), signal);
    }
  }
}

async function firstDifference(
  file: OpenFile,
  chunk: Uint8Array,
  offset: number,
): Promise<number | undefined> {
  const local = new Uint8Array(chunk.length);
  const read = await file.read(local, offset);
  if (read === chunk.length && Buffer.compare(local, chunk) === 0) return undefined;
  const at = chunk.findIndex((byte, index) => index >= read || byte !== local[index]);
  return offset + at;
}
