/**
 * The verify pass: every part's range is read again from the file, and a part whose bytes changed is sent again under
 * its number. Recorders rewrite their headers at close (MP4, MOV, WAV, MKV); this is what makes the object whole.
 */
import { crc32FromBase64 } from "../parts/crc32.ts";
import type { OpenFile } from "../ports/file-source.ts";
import type { Part, VerifyMode } from "../stream/record.ts";
import type { OpenContext } from "./open-object.ts";
import { rangeCrc, sendPart } from "./part-sender.ts";

export type Verified =
  | { kind: "verified"; checked: number; sentAgain: number }
  | { kind: "file_moved_on" }
  | { kind: "upload_gone" };

/** Reads in part order, one range at a time, with a turn of the worker's verify lane for each part. */
export async function verifyParts(context: OpenContext): Promise<Verified> {
  const { held, rules } = context;
  const parts = [...held.parts.values()].toSorted((a, b) => a.PartNumber - b.PartNumber);
  const chosen = partsToCheck(parts, rules.verify);
  let sentAgain = 0;
  for (const part of chosen) {
    context.signal.throwIfAborted();
    const same = await holdsStill(context, part);
    if (same === "file_moved_on") return { kind: "file_moved_on" };
    if (same) continue;
    const range = { number: part.PartNumber, offset: part.Offset, bytes: part.Size };
    const sent = await sendPart(held, range, context.store, context.deps, context.signal);
    if (sent.kind !== "sent") return { kind: sent.kind };
    sentAgain += 1;
    context.deps.observer.decided(held.record, `part ${part.PartNumber} changed on disk and was sent again`);
  }
  return { kind: "verified", checked: chosen.length, sentAgain };
}

function partsToCheck(parts: Part[], mode: VerifyMode): Part[] {
  switch (mode) {
    case "full":
      return parts;
    case "edges":
      return parts.filter((_, at) => at === 0 || at === parts.length - 1);
    case "off":
      // Parts of a founding record carry no CRC; the whole object's cannot be made without it.
      return [];
  }
}

async function holdsStill(context: OpenContext, part: Part): Promise<boolean | "file_moved_on"> {
  const { deps, held } = context;
  const slot = await deps.verifyLane.enter(held.record.id, context.signal);
  try {
    const opened = await deps.files.open(held.record.original_path);
    if (opened.kind !== "file") return "file_moved_on";
    await using file = opened.file;
    return await compare(context, part, file, slot.buffer);
  } finally {
    slot.release();
  }
}

async function compare(context: OpenContext, part: Part, file: OpenFile, buffer: Uint8Array): Promise<boolean | "file_moved_on"> {
  const { deps } = context;
  const wanted = part.ChecksumCRC32 === undefined ? undefined : crc32FromBase64(part.ChecksumCRC32);
  const md5 = wanted === undefined ? deps.digests.md5() : undefined;
  const range = { offset: part.Offset, bytes: part.Size };
  const crc = await rangeCrc(file, range, buffer, deps, (chunk) => md5?.update(chunk));
  if (crc === undefined) return "file_moved_on";
  if (wanted !== undefined) return crc === wanted;
  // A founding record's part: its ETag is all that is known of its bytes.
  return deps.store.profile.etagIsMd5 && md5?.hex() === part.ETag;
}
