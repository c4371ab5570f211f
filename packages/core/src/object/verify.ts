/**
 * The verify pass: every part's range is read again from the file, and a part whose bytes changed is sent again under
 * its number. Recorders rewrite their headers at close (MP4, MOV, WAV, MKV); this pass makes the object match the file.
 */
import { crc32FromBase64 } from "./crc32.ts";
import { LIMITS } from "../limits.ts";
import { isoNow } from "../ports/clock.ts";
import { formatWaiting, type Waiting } from "../stream/waiting.ts";
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
 * Reads in part order, one range at a time, with a slot of the worker's verify lane for each part. `recut`: parts that
 * are split differently and sent anyway.
 */
export async function verifyParts(context: ObjectContext, recut: ReadonlySet<number>): Promise<Verified> {
  const { held, deps, signal } = context;
  const parts = [...held.parts.values()]
    .filter((part) => !recut.has(part.PartNumber))
    .toSorted((a, b) => a.PartNumber - b.PartNumber);
  const chosen = partsToCheck(parts, verifyModeOf(context));
  let sentAgain = 0;
  let saidAtMs = deps.clock.monotonicMs();
  for (const [done, part] of chosen.entries()) {
    signal.throwIfAborted();
    if (deps.clock.monotonicMs() - saidAtMs >= LIMITS.progressEveryMs) {
      saidAtMs = deps.clock.monotonicMs();
      await say(context, { for: "verify", done, of: chosen.length });
    }
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
      const repaired = `part ${part.PartNumber} changed on disk and was sent again`;
      await held.update({ patch: {}, log: [repaired], event: { type: "log", detail: "repaired" } });
      deps.observer.decided(held.record, repaired);
    }
    await reach(context, "verifying");
  }
  return { kind: "verified", checked: chosen.length, sentAgain };
}

/** How many parts are read again before this stream's object is completed. */
export function partsToVerify(context: ObjectContext): number {
  return partsToCheck([...context.held.parts.values()], verifyModeOf(context)).length;
}

/** A long pass is progress too, and must not count as a stall. */
async function say({ held, deps }: ObjectContext, waiting: Waiting): Promise<void> {
  await held.update({
    patch: { waiting_for: formatWaiting(waiting), last_activity_at_utc: isoNow(deps.clock) },
    event: { type: "progress" },
  });
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
  // A part of an early version: only its ETag is known about its bytes.
  return deps.store.profile.etagIsMd5 && read.md5 === part.ETag;
}
