import type { Orphan } from "@sluice/redis-schema/records/upload-entries";
import type { WorkerRecord } from "@sluice/redis-schema/records/worker";
import type { WorkerListing } from "@sluice/redis-schema/worker-registry";
import { expect, it } from "vitest";
import { endingTitle, endingUploads, endingWords, retentionOf, salvageCommand } from "./ending-uploads.ts";
import type { StreamRow } from "./stream-row.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const NOW = Date.parse("2026-11-30T12:00:00.000Z");
const iso = (ms: number): string => new Date(NOW + ms).toISOString();

/** Of a superseded stream whose file was replaced `agoMs` ago. */
function superseded(agoMs: number, over: Partial<StreamRow> = {}): StreamRow {
  return {
    id: `s${agoMs}`,
    status: "failed_file_replaced",
    kind: "failed",
    failure_reason: "file_replaced",
    superseded_by: "next",
    source_state: "replaced",
    s3_upload_id: "u1",
    original_path: "/rec/a.mxf",
    bytes_sent: 48 * 1024 ** 2,
    last_activity_at_utc: iso(-agoMs),
    ...over,
  };
}

/** Of a failed stream whose file is gone, with a store that ends uploads after so long. */
function missing(agoMs: number, lifeMs: number, over: Partial<StreamRow> = {}): StreamRow {
  const { superseded_by: _, ...row } = superseded(agoMs);
  return {
    ...row,
    status: "failed_file_missing",
    failure_reason: "file_missing",
    source_state: "missing",
    create_intent_at_utc: iso(-agoMs),
    upload_aborts_at_utc: iso(lifeMs - agoMs),
    ...over,
  };
}

const said = (row: StreamRow, retentionMs: number | undefined = WEEK) =>
  endingUploads({ rows: [row], orphans: [] }, retentionMs, NOW).map(({ by, endsAt }) => [by, endsAt - NOW]);

it.each<[string, StreamRow, (string | number)[][]]>([
  ["a superseded one is said a day before", superseded(6 * DAY), [["retention", DAY]]],
  ["and not earlier", superseded(6 * DAY - 1), []],
  ["nor when its time is over", superseded(WEEK), []],
  [
    "its file is at another path now: it is no only copy",
    superseded(6 * DAY, { source_state: "present" }),
    [],
  ],
  ["without an upload nothing ends", superseded(6 * DAY, { s3_upload_id: undefined }), []],
  [
    "a download that was given up is set apart too",
    superseded(6.5 * DAY, { superseded_by: undefined, set_apart: "temporary_name", source_state: "missing" }),
    [["retention", DAY / 2]],
  ],
  ["the retention ends no other failed stream", missing(30 * DAY, 400 * DAY), []],
  [
    "a store's limit is said from half of the upload's life on",
    missing(3.5 * DAY, WEEK),
    [["store", 3.5 * DAY]],
  ],
  ["and not earlier than that", missing(3.5 * DAY - 1, WEEK), []],
  ["also when it is over, for the store takes its time", missing(WEEK + HOUR, WEEK), [["store", -HOUR]]],
  ["until a day later", missing(WEEK + DAY, WEEK), []],
  ["whose file is there loses nothing by it", missing(5 * DAY, WEEK, { source_state: "present" }), []],
  [
    "of two ends the earlier one counts",
    superseded(6.5 * DAY, { create_intent_at_utc: iso(-7 * DAY), upload_aborts_at_utc: iso(HOUR) }),
    [["store", HOUR]],
  ],
])("an only copy: %s", (_, row, ends) => {
  expect(said(row)).toEqual(ends);
});

it("while no worker lives, nobody ends an upload", () => {
  expect(endingUploads({ rows: [superseded(6.5 * DAY)], orphans: [] }, undefined, NOW)).toEqual([]);
});

it("each worker cleans up for all: the shortest retention counts, and a dead worker's does not", () => {
  const value = (ms?: number) =>
    (ms === undefined ? {} : { failed_upload_retention_ms: ms }) as unknown as WorkerRecord;
  const alive = (ms?: number): WorkerListing => ({
    id: "w",
    lastSeenAt: 0,
    lease: { kind: "ok", value: value(ms) },
  });
  const gone: WorkerListing = { id: "w", lastSeenAt: 0, lease: { kind: "gone", last: value(1) } };
  expect(retentionOf([gone, alive(WEEK), alive(), alive(DAY)])).toBe(DAY);
  expect(retentionOf([gone, alive()])).toBeUndefined();
});

it("is said in words, the first to end first", () => {
  const found = endingUploads(
    { rows: [superseded(6.2 * DAY), superseded(6.5 * DAY)], orphans: [] },
    WEEK,
    NOW,
  );
  expect(endingTitle(found)).toBe("2 uploads that are only copies end soon");
  const [first] = found;
  expect(first && endingWords(first, NOW)).toBe(
    "a.mxf, 48.0 MiB, in 12 h, by SLUICE_FAILED_UPLOAD_RETENTION",
  );
  const [over] = endingUploads({ rows: [missing(WEEK + HOUR, WEEK)], orphans: [] }, WEEK, NOW);
  expect(over && endingWords(over, NOW)).toBe("a.mxf, 48.0 MiB, at any moment, by the store's age limit");
});

/** One that a purge kept `agoMs` after it began. */
function kept(agoMs: number, lifeMs: number, over: Partial<Orphan> = {}): Orphan {
  return {
    s3_upload_id: "u9",
    s3_bucket: "b",
    s3_key: "cam/a.mxf",
    verdict: "only_copy",
    because: "a purge kept it",
    initiated_at_utc: iso(-agoMs),
    upload_aborts_at_utc: iso(lifeMs - agoMs),
    bytes: 5,
    first_seen_at_utc: iso(0),
    last_seen_at_utc: iso(0),
    ...over,
  };
}

it.each<[string, Orphan, number[]]>([
  ["is said from half of its life on", kept(4 * DAY, WEEK), [3 * DAY]],
  ["and not earlier", kept(3 * DAY, WEEK), []],
  ["is none while its file is there", kept(4 * DAY, WEEK, { verdict: "ours" }), []],
])("an only copy that a purge kept %s", (_, orphan, ends) => {
  const found = endingUploads({ rows: [], orphans: [orphan] }, WEEK, NOW);
  expect(found.map(({ endsAt }) => endsAt - NOW)).toEqual(ends);
});

it("without a limit that is known, an upload that a purge kept does not end", () => {
  const { upload_aborts_at_utc: _, ...orphan } = kept(4 * DAY, WEEK);
  expect(endingUploads({ rows: [], orphans: [orphan] }, WEEK, NOW)).toEqual([]);
});

it("is salvaged by its stream, or by its key and id", () => {
  const [stream, upload] = endingUploads(
    { rows: [missing(6 * DAY, WEEK)], orphans: [kept(4 * DAY, WEEK)] },
    WEEK,
    NOW,
  ).map(salvageCommand);
  expect([stream, upload]).toEqual([`sluice salvage s${6 * DAY}`, "sluice salvage --upload cam/a.mxf u9"]);
});
