/**
 * The verify pass: every part's range is read again from the file, and a part whose bytes changed is sent again under
 * its number. Recorders rewrite their headers at close (MP4, MOV, WAV, MKV); this is what makes the object whole.
 */
import { crc32FromBase64 } from "./crc32.ts";
import type { Part, VerifyMode } from "../stream/record.ts";
import { readDigests } from "./part-bytes.ts";
import { sendPart } from "./part-sender.ts";
import { verifyModeOf } from "./proof-by-bytes.ts";
import { reach, type ObjectContext } from "./context.ts";

export type Verified =
  | { kind: "verified"; checked: number; sentAgain: number }
  | { kind: "file_moved_on" }
  | { kind: "upload_gone" };

/**
 * Reads in part order, one range at a time, with a turn of the worker's verify lane for each part. `recut`: parts that
 * are being cut again and sent anyway.
 */
export async function verifyParts(context: ObjectContext, recut: ReadonlySet<number>): Promise<Verified> {
  const { held, deps, signal } = context;
  const parts = [...held.parts.values()]
    .filter((part) => !recut.has(part.PartNumber))
    .toSorted((a, b) => a.PartNumber - b.PartNumber);
  const chosen = partsToCheck(parts, verifyModeOf(context));
  let sentAgain = 0;
  for (const part of chosen) {
    signal.throwIfAborted();
    const same = await holdsStill(context, part);
    if (same === "file_moved_on") return { kind: "file_moved_on" };
    if (!same) {
      const sent = await sendPart(context, {
        number: part.PartNumber,
        offset: part.Offset,
        bytes: part.Size,
      });
      if (sent.kind !== "sent") return { kind: sent.kind };
      sentAgain += 1;
      deps.observer.decided(held.record, `part ${part.PartNumber} changed on disk and was sent again`);
    }
    await reach(context, "verifying");
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
      return [];
  }
}

async function holdsStill(context: ObjectContext, part: Part): Promise<boolean | "file_moved_on"> {
  const { deps } = context;
  const wanted = part.ChecksumCRC32 === undefined ? undefined : crc32FromBase64(part.ChecksumCRC32);
  const read = await readDigests(context, part.Offset, part.Size, wanted === undefined);
  if (!read) return "file_moved_on";
  if (wanted !== undefined) return read.crc === wanted;
  // A founding record's part: its ETag is all that is known of its bytes.
  return deps.store.profile.etagIsMd5 && read.md5 === part.ETag;
}
