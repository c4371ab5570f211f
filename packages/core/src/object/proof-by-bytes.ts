/**
 * On volumes with unstable inode numbers, a live file is identified by its bytes: the last part that S3 acknowledged
 * must still be in it. If that part is a single repeated byte, as in every preallocated file, the first part decides,
 * and with it the first 64 KiB. A header that was rewritten at close does not make it another file: the seal repairs
 * that.
 */
import { LIMITS } from "../limits.ts";
import { crc32FromBase64 } from "./crc32.ts";
import type { OpenFile } from "../ports/file-source.ts";
import { sameFile, unchanged, type FileFacts } from "../stream/identity.ts";
import type { Part, VerifyMode } from "../stream/record.ts";
import { openToRead } from "./open-file.ts";
import { rangeCrc } from "./part-bytes.ts";
import { countedBytes } from "./matching-bytes.ts";
import type { ObjectContext } from "./context.ts";

/** Opens the stream's file; undefined if it no longer exists, or another file is there. */
export async function openOwnFile(context: ObjectContext): Promise<OpenFile | undefined> {
  const { held, deps, proof } = context;
  const file = await openToRead(held.record.original_path, deps);
  if (!file) return undefined;
  const facts = file.openedFacts;
  const is = sameFile(held.record, facts, { at: "its_path" }).kind;
  const proved = is === "same" || (proof.facts !== undefined && unchanged(proof.facts, facts));
  if (is !== "other" && (proved || (await holdsSentBytes(context, file)))) {
    if (is === "ask_bytes") proof.facts = facts;
    return file;
  }
  await file[Symbol.asyncDispose]();
  return undefined;
}

/** Whether the current file at the path is proved to be the stream's own. */
export async function provedByBytes(context: ObjectContext, facts: FileFacts): Promise<boolean> {
  const { proof } = context;
  if (proof.facts !== undefined && unchanged(proof.facts, facts)) return true;
  await using file = await openOwnFile(context);
  return file !== undefined;
}

async function holdsSentBytes(context: ObjectContext, file: OpenFile): Promise<boolean> {
  const parts = [...context.held.parts.values()].toSorted((a, b) => a.PartNumber - b.PartNumber);
  const [first, last] = [parts[0], parts.at(-1)];
  if (!first || !last) return true;
  const verdict = await compare(context, file, last);
  if (verdict !== "says nothing" || first === last) return verdict !== "differs";
  return (await compare(context, file, first)) !== "differs";
}

async function compare(
  context: ObjectContext,
  file: OpenFile,
  part: Part,
): Promise<"equal" | "differs" | "says nothing"> {
  const { deps, held, signal } = context;
  const slot = await deps.verifyLane.enter(held.record.id, signal);
  try {
    const md5 = part.ChecksumCRC32 === undefined ? deps.digests.md5() : undefined;
    // A part of an early version on a store whose ETags prove nothing.
    if (md5 && !deps.store.profile.etagIsMd5) return "says nothing";
    let counted = 0;
    const range = { offset: part.Offset, bytes: part.Size };
    const crc = await rangeCrc(file, range, slot.buffer, deps.digests, (chunk) => {
      md5?.update(chunk);
      counted += countedBytes(chunk);
    });
    if (crc === undefined) return "differs";
    const wanted = crc32FromBase64(part.ChecksumCRC32 ?? "");
    const equal = md5 ? md5.hex() === part.ETag : crc === wanted;
    if (equal) return counted === 0 ? "says nothing" : "equal";
    return wanted !== undefined && wanted === crcOfZeros(context, part.Size) ? "says nothing" : "differs";
  } finally {
    slot.release();
  }
}

/** The CRC of a preallocated part that was sent before it was filled. */
function crcOfZeros({ deps }: ObjectContext, bytes: number): number {
  const zeros = new Uint8Array(Math.min(bytes, LIMITS.verifyChunkBytes));
  let crc = 0;
  for (let left = bytes; left > 0; left -= zeros.length) {
    crc = deps.digests.crc32(zeros.subarray(0, Math.min(zeros.length, left)), crc);
  }
  return crc;
}

/** If only bytes identify the file, every byte is read again before its object is completed. */
export function verifyModeOf({ held, rules }: Pick<ObjectContext, "held" | "rules">): VerifyMode {
  return held.record.file_birthtime_ns === undefined ? "full" : rules.verify;
}
