import { describe, expect, it } from "vitest";
import { FACTS, newStream, PART } from "../testing/test-values.ts";
import { streamBreaches } from "./invariants.ts";
import { patched, type Part, type RecordPatch } from "./record.ts";

const opening = newStream({ facts: { ...FACTS, size: 2 * PART } });
const part: Part = { PartNumber: 1, ETag: "e", Size: PART, Offset: 0 };
const one = new Map([[1, part]]);
const none = new Map<number, Part>();
const processing: RecordPatch = { status: "processing", s3_key: "a.bin", s3_upload_id: "u" };
const counted: RecordPatch = { next_part: 2, bytes_sent: PART };
const stored: RecordPatch = { s3_key: "a.bin", etag: "e", bytes_sent: 2 * PART };

describe("a record that is well", () => {
  it.each([
    ["opening", {}, none],
    ["processing", { ...processing, ...counted }, one],
    ["processing without a part yet", processing, none],
    ["pending without an upload", { status: "pending_completion" }, none],
    ["stored", { ...stored, status: "s3_completed" }, none],
    ["completed", { ...stored, status: "completed", owner: null }, none],
    ["failed", { status: "failed_file_missing", owner: null }, none],
  ] as const)("breaks nothing: %s", (_case, patch, parts) => {
    expect(streamBreaches(patched(opening, patch), parts)).toEqual([]);
  });
});

describe("a record that is not", () => {
  it.each([
    ["an unknown status", { status: "failed" }, none, "is unknown"],
    ["an unreadable plan", { part_plan: "cubic:1" }, none, "cannot be read"],
    ["opening with parts", { ...counted }, one, "has an upload or parts"],
    ["opening with an upload", { s3_key: "a.bin", s3_upload_id: "u" }, none, "has an upload or parts"],
    ["processing without upload", { status: "processing" }, none, "no upload id"],
    ["an upload without a key", { status: "processing", s3_upload_id: "u" }, none, "no key"],
    ["parts without an upload", { status: "pending_completion", ...counted }, one, "parts and no upload"],
    ["a count that is not its parts'", processing, one, "its parts"],
    ["bytes that are not its parts'", { ...processing, next_part: 2 }, one, "its parts"],
    ["a next part that is not its parts'", { ...processing, bytes_sent: PART }, one, "its parts"],
    ["completed without ETag", { ...stored, status: "completed", owner: null, etag: null }, none, "ETag"],
    ["stored without key", { ...stored, status: "s3_completed", s3_key: null }, none, "lacks key"],
    ["stored without ETag", { status: "s3_completed", s3_key: "k", bytes_sent: 2 * PART }, none, "ETag"],
    ["stored and not all sent", { ...stored, status: "s3_completed", bytes_sent: 1 }, none, "not all"],
    ["completed with an owner", { ...stored, status: "completed" }, none, "an owner"],
    ["failed with an owner", { status: "failed_file_missing" }, none, "an owner"],
  ])("is told for %s", (_case, patch, parts, words) => {
    const breaches = streamBreaches(patched(opening, patch as RecordPatch), parts);
    expect(breaches.join("; ")).toContain(words);
  });
});
