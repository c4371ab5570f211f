import { FAILURE_REASONS, newRecord, planRetry, type StreamRecord } from "@sluice/core";
import { listedStream, type LoadedStream, type ListedStream } from "@sluice/redis-schema";
import { describe, expect, it } from "vitest";
import { MAX_PLAN_ITEMS } from "./actions.ts";
import { choose } from "./choose.ts";
import { draftAbortUploads, draftFinalize, draftPurge, draftRetryOf } from "./draft.ts";

const MIB = 1024 * 1024;

function failedRecord(reason: string, over: Partial<StreamRecord>): StreamRecord {
  const fresh = newRecord({
    id: "s1",
    path: "/rec/a.mkv",
    source: "studio",
    watch: "rec",
    bucket: "recordings",
    keyPrefix: "",
    contentType: "video/x-matroska",
    verify: "full",
    plan: { kind: "stepped", partBytes: 8 * MIB, expectedMaxBytes: 0, maxParts: 10_000 },
    owner: "w1",
    nowUtc: "2026-11-24T12:00:00.000Z",
    facts: { size: 20 * MIB, inode: "11", device: "1", birthtimeNs: "17", mtimeNs: "18", ctimeNs: "19" },
    supersedes: undefined,
  });
  const status = `failed_${reason}` as StreamRecord["status"];
  return { ...fresh, status, failure_reason: reason, bytes_sent: 16 * MIB, s3_upload_id: "u1", ...over };
}

function rowOf(over: Partial<ListedStream> = {}): ListedStream {
  const row = listedStream("s1", { status: "failed_access_denied", original_path: "/rec/a.mkv" });
  if (row === undefined) throw new Error("the record is there");
  return { ...row, fence: 1, revision: 2, file_size: 20 * MIB, bytes_sent: 16 * MIB, ...over };
}

const chosen = (row: ListedStream) => ({ rows: [row], excluded: [], leftOut: 0 });

describe("a planned retry", () => {
  const shapes: [string, Partial<StreamRecord>][] = [
    ["with its upload", {}],
    ["without an upload", { s3_upload_id: undefined } as unknown as Partial<StreamRecord>],
    ["whose object is stored", { sealed_at_utc: "2026-11-24T12:00:00.000Z" }],
  ];
  it.each(FAILURE_REASONS.flatMap((reason) => shapes.map(([name, over]) => [reason, name, over] as const)))(
    "of %s %s says the bytes that the worker sends a second time",
    (reason, _, over) => {
      const record = failedRecord(reason, over);
      const loaded = { id: record.id, parsed: { kind: "record", record } } as LoadedStream;
      const draft = draftRetryOf(chosen(rowOf({ status: record.status })), [loaded]);
      const { event, bytesSentAgain } = planRetry(record);
      expect(draft.bytes).toBe(bytesSentAgain);
      expect(draft.counts["from_start"]).toBe(event === "restarted" ? 1 : 0);
      expect(draft.facts.join(" ")).toBe(
        event !== "restarted"
          ? "Nothing is sent again."
          : "Every byte is sent, 16.0 MiB for the second time.",
      );
      expect(draft.confirm).toBe(bytesSentAgain > 0 ? "yes" : "none");
    },
  );

  it("leaves out a record that cannot be worked with, and says so", () => {
    const loaded = { id: "s1", parsed: { kind: "corrupt", detail: "x" } } as LoadedStream;
    expect(draftRetryOf(chosen(rowOf()), [loaded])).toMatchObject({
      items: [],
      excluded: [{ id: "s1", why: expect.stringContaining("purge it") }],
    });
  });
});

describe("a plan", () => {
  it("to finalize with force says it in the options of the request, which whoever carries it out reads", () => {
    const row = rowOf({ status: "processing", kind: "processing" });
    const nowMs = Date.parse("2026-11-24T12:00:00Z");
    expect(draftFinalize(chosen(row), { force: true, nowMs }).options.request).toEqual({ force: true });
    expect(draftFinalize(chosen(row), { force: false, nowMs }).options.request).toBeUndefined();
  });

  it("to purge is confirmed by its number only where parts are lost", () => {
    const row = rowOf({ s3_upload_id: "u1", source_state: "present" });
    expect(draftPurge(chosen(row), "abort")).toMatchObject({
      title: "Purge 1 failed stream",
      bytes: 4 * MIB,
      counts: { streams: 1, uploads: 1, uploads_kept: 0 },
      confirm: "count",
    });
    expect(draftPurge(chosen(row), "keep")).toMatchObject({ counts: { uploads_kept: 1 }, confirm: "yes" });
  });

  it("to purge a superseded stream warns of no bytes that are its successor's", () => {
    const row = { ...rowOf({ status: "failed_file_replaced", superseded_by: "s2" }), bytes_sent: 16 * MIB };
    const draft = draftPurge(chosen({ ...row, file_size: 20 * MIB }), "abort");
    expect(draft.bytes).toBe(0);
    expect(draft.facts.join(" ")).not.toContain("local disk only");
  });

  it("keeps an upload that is the only copy, unless words that name it are typed", () => {
    const gone = { status: "failed_file_missing", s3_upload_id: "u1", source_state: "missing" } as const;
    const row = rowOf({ ...gone, kind: "failed" });
    const kept = draftPurge(chosen(row), "abort");
    expect(kept).toMatchObject({
      counts: { uploads: 1, uploads_kept: 1, only_copies: 1 },
      options: { upload: "abort", keep_uploads: ["s1"] },
      confirm: "yes",
    });
    expect(kept.facts).toContain("Lost: 4.0 MiB, with files that are gone.");
    expect(kept.facts.join(" ")).toContain(
      "Only copy: 16.0 MiB in S3, in 1 open upload, kept among the orphans",
    );
    expect(kept.facts.join(" ")).not.toContain("local disk");
    const lost = draftPurge(chosen(row), "lose");
    expect(lost).toMatchObject({ counts: { uploads_kept: 0 }, confirm: "count", typed: "lose 16.0 MiB" });
    expect(lost.options.keep_uploads).toBeUndefined();
    const unseen = rowOf({ ...gone, kind: "failed", source_state: "unknown" });
    expect(draftPurge(chosen(unseen), "abort").options.keep_uploads).toEqual(["s1"]);
  });

  it("to abort uploads that are not ours says so", () => {
    const at = "2026-11-24T12:00:00.000Z";
    const orphan = {
      s3_upload_id: "u1",
      s3_bucket: "b",
      s3_key: "k",
      verdict: "foreign" as const,
      because: "x",
      first_seen_at_utc: at,
      last_seen_at_utc: at,
    };
    expect(draftAbortUploads([orphan], []).facts).toContain(
      "1 upload may belong to another program: be sure.",
    );
  });

  it("takes no more than one plan holds, and says how many that leaves out", () => {
    const rows = Array.from({ length: MAX_PLAN_ITEMS + 2 }, (_, at) => rowOf({ id: `s${at}` }));
    const { rows: taken, leftOut } = choose("purge", rows);
    expect(taken).toEqual(rows.slice(0, MAX_PLAN_ITEMS));
    expect(leftOut).toBe(2);
  });

  it("holds what the state allows, and why not the rest", () => {
    const live = rowOf({ id: "live", kind: "processing", status: "processing" });
    expect(choose("purge", [rowOf(), live])).toMatchObject({
      rows: [{ id: "s1" }],
      excluded: [{ id: "live", why: "only failed streams are purged" }],
      leftOut: 0,
    });
  });
});
