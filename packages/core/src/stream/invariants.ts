/** The invariants of each state of a stream: a violation means a bug, or a manual change in Redis. */
import { parsePlan } from "./part-plan.ts";
import type { Parts, StreamRecord } from "./record.ts";
import { kindOf } from "./state.ts";
import { finishedPrefix } from "./checkpoint.ts";

/** In words; empty if all is well. */
export function streamBreaches(record: StreamRecord, parts: Parts): string[] {
  const kind = kindOf(record.status);
  const plan = parsePlan(record.part_plan);
  if (kind === undefined) return [`status ${record.status} is unknown`];
  if (!plan) return [`part plan ${record.part_plan} cannot be read`];
  const breaches: string[] = [];
  const claim = (holds: boolean, what: string): void => {
    if (!holds) breaches.push(`${record.status}: ${what}`);
  };
  const uploaded = record.s3_upload_id !== undefined;
  if (kind === "opening") claim(!uploaded && parts.size === 0, "it has an upload or parts");
  if (kind === "processing") claim(uploaded, "it has no upload id");
  claim((record.protected_bytes ?? 0) <= record.bytes_sent, "more is protected than was sent");
  if (uploaded) claim(record.s3_key !== undefined, "it has an upload id and no key");
  if (parts.size > 0) claim(uploaded, "it has parts and no upload id");
  if (kind === "s3_completed" || kind === "completed") {
    claim(record.s3_key !== undefined && record.etag !== undefined, "it is stored and lacks key or ETag");
    claim(record.bytes_sent === record.file_size, "not all of it was sent");
  } else {
    const prefix = finishedPrefix(parts, plan);
    claim(
      record.bytes_sent === prefix.bytes && record.next_part === prefix.nextPart,
      `it says ${record.bytes_sent} bytes and next part ${record.next_part}, its parts ${prefix.bytes} and ${prefix.nextPart}`,
    );
  }
  if (kind === "completed" || kind === "failed")
    claim(record.owner === undefined, "it has ended and has an owner");
  return breaches;
}
