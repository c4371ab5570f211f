import { newRecord, streamId, type StreamRecord } from "@sluice/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { listedStream } from "../stream-rows.ts";
import { parseAudit, parseFeedEntry, parseLog } from "./feed.ts";
import { parseDone, parseIgnored } from "./file-entries.ts";
import { parseParts } from "./part.ts";
import { parsePlanRecord, parsePlanResults } from "./plan.ts";
import { parseRequest } from "./request.ts";
import { parseMinute } from "./stats.ts";
import { META_FIELDS } from "./stream-fields.ts";
import { parseRecord, patchFields, recordFields, recordToJson } from "./stream-record.ts";
import { fromBuffers, toFlatArgs, type RawHash } from "./text.ts";
import { parseOrphan, parseToAbort } from "./upload-entries.ts";
import { parseWatch } from "./watch.ts";
import { parseWorker } from "./worker.ts";

const UTC = "2026-11-24T10:00:00.000Z";
const facts = { size: 9, inode: "11", device: "1", boot: "b1", birthtimeNs: "3", mtimeNs: "4", ctimeNs: "5" };
const fresh = newRecord({
  id: "s1",
  path: "/rec/\udcff.mkv",
  source: "src",
  watch: "rec",
  bucket: "bkt",
  keyPrefix: "",
  contentType: "video/x-matroska",
  verify: "full",
  plan: { kind: "stepped", partBytes: 8_388_608, expectedMaxBytes: 0, maxParts: 10_000 },
  owner: "w1",
  nowUtc: UTC,
  facts,
});
const full: StreamRecord = {
  ...fresh,
  status: "failed_file_missing",
  s3_key: "k",
  name_number: 3,
  protected_bytes: 7,
  protected_at_utc: UTC,
  s3_metadata_key: "k.metadata-2.json",
  s3_upload_id: "u",
  completed_at_utc: UTC,
  failure_reason: "file_missing",
  failure_detail: "gone",
  waiting_for: '{"for":"growth"}',
  requested_action: "finalize",
  supersedes: "s0",
  superseded_by: "s2",
  extends: "9bb58f26192e4ba00f01e2e7b136bbd8-3",
  set_apart: "temporary_name",
  source_state: "missing",
  failed_at_utc: UTC,
  last_known_size: 12,
  completed_by: "marker",
  create_intent_at_utc: UTC,
  upload_aborts_at_utc: "2026-11-30T00:00:00.000Z",
  verify_result: "equal",
  sealed_by: "w1",
  sealed_version: "0.1.0",
  sealed_at_utc: UTC,
  tidy_error: "EACCES",
  crc32: "AAAAAA==",
  etag: "e",
};
const hash = recordFields(full);

describe("a record", () => {
  test("survives the way to Redis and back, every field of it", () => {
    const flat = toFlatArgs(recordFields(full));
    const stored: Record<string, Buffer> = {};
    for (let at = 0; at < flat.length; at += 2)
      stored[String(flat[at])] = Buffer.from(flat[at + 1] as string | Buffer);
    expect(parseRecord("s1", fromBuffers(stored))).toEqual({ kind: "record", record: full });
    expect(Object.keys(hash).toSorted()).toEqual(
      META_FIELDS.filter((field) => field !== "write_token").toSorted(),
    );
  });

  test("may have an empty key prefix, but not none", () => {
    expect(parseRecord("s1", { ...hash, s3_key_prefix: "" })).toMatchObject({ kind: "record" });
    const { s3_key_prefix: _, ...without } = hash;
    expect(parseRecord("s1", without), "its key stands there").toMatchObject({ kind: "founding" });
    const { s3_key: __, ...keyless } = without;
    expect(parseRecord("s1", keyless)).toEqual({ kind: "incomplete", missing: ["s3_key_prefix"] });
  });

  test.each([
    ["original_path", "incomplete"],
    ["s3_bucket", "incomplete"],
    ["status", "founding"],
    ["part_plan", "founding"],
    ["next_part", "founding"],
    ["bytes_sent", "founding"],
    ["s3_key", "record"],
    ["owner", "record"],
  ])("without %s is %s", (field, kind) => {
    const { [field]: _, ...without } = hash;
    expect(parseRecord("s1", without).kind).toBe(kind);
  });

  test("in processing without an upload id is incomplete", () => {
    const { s3_upload_id: _, ...rest } = hash;
    const without = { ...rest, status: "processing" };
    expect(parseRecord("s1", without)).toEqual({ kind: "incomplete", missing: ["s3_upload_id"] });
    expect(parseRecord("s1", { ...without, s3_upload_id: "" })).toMatchObject({ kind: "incomplete" });
    expect(parseRecord("s1", { ...without, status: "opening" })).toMatchObject({ kind: "record" });
  });

  test.each([
    ["status", "dancing"],
    ["status", "failed_<script>"],
    ["next_part", "0"],
    ["next_part", "10002"],
    ["next_part", "NaN"],
    ["bytes_sent", "-1"],
    ["bytes_sent", "1e9"],
    ["bytes_sent", "9007199254740993"],
    ["part_plan", "stepped:1"],
    ["file_inode", "abc"],
    ["fence", ""],
    ["revision", "1.5"],
    ["original_path", "rec/a"],
    ["original_path", ""],
    ["started_at_utc", "yesterday"],
    ["verify_mode", "some"],
    ["completed_by", "luck"],
    ["schema_version", "x"],
  ])("whose %s is %j is corrupt, and says which field", (field, value) => {
    expect(parseRecord("s1", { ...hash, [field]: value })).toEqual({
      kind: "corrupt",
      detail: expect.stringContaining(field),
    });
  });

  test("of a newer version is left alone, whatever else it holds", () => {
    expect(parseRecord("s1", { schema_version: "2" })).toEqual({ kind: "newer", version: 2 });
  });

  test("keeps fields of its own version only", () => {
    expect(parseRecord("s1", { ...hash, write_token: "t", extra: "x" })).toEqual({
      kind: "record",
      record: full,
    });
  });

  test("that is not there is absent", () => {
    expect(parseRecord("s1", {})).toEqual({ kind: "absent" });
  });

  test("as JSON keeps its field names and shows odd bytes as %XX", () => {
    const json = recordToJson(full);
    expect(json).toMatchObject({ id: "s1", original_path: "/rec/%FF.mkv", bytes_sent: 0, fence: 1 });
    expect(JSON.stringify(json)).not.toContain("\\ud");
  });

  test("is patched by fields to set and fields to remove", () => {
    expect(patchFields({ s3_key: "k", s3_upload_id: null, bytes_sent: 0 })).toEqual({
      set: { s3_key: "k", bytes_sent: "0" },
      remove: ["s3_upload_id"],
    });
  });
});

/** As version 1 wrote it. It must be read by every later version; never edit it. */
const GOLDEN_V1: RawHash = {
  original_path: "/rec/a b.mkv",
  source: "cam-1",
  watch: "rec",
  s3_bucket: "bkt",
  s3_key_prefix: "p/",
  s3_key: "p/a b.mkv",
  s3_upload_id: "2~abc",
  status: "processing",
  next_part: "3",
  bytes_sent: "16777216",
  part_plan: "listed:1:8388608+stepped:8388608",
  file_size: "20000000",
  file_inode: "1234567890123456789",
  file_birthtime_ns: "1764000000000000001",
  file_device: "2049",
  file_mtime_ns: "1764000000000000002",
  file_ctime_ns: "1764000000000000003",
  started_at_utc: "2026-11-24T10:00:00.000Z",
  last_activity_at_utc: "2026-11-24T10:01:00.000Z",
  owner: "cam-1-9464",
  fence: "2",
  revision: "17",
  waiting_for: '{"for":"growth"}',
  content_type: "video/x-matroska",
  longest_pause_ms: "1500",
  create_intent_at_utc: "2026-11-24T10:00:01.000Z",
  verify_mode: "full",
  schema_version: "1",
  write_token: "abcdefghijklmnopqrstuv",
};

test("a record that version 1 wrote is read, with every field of it", () => {
  const { write_token: _, ...fields } = GOLDEN_V1;
  const parsed = parseRecord("01hxyz", GOLDEN_V1);
  expect(parsed.kind).toBe("record");
  expect(parsed.kind === "record" && recordFields(parsed.record)).toEqual(fields);
});

describe("a founding record", () => {
  const founding = { original_path: "/rec/a", s3_bucket: "b", s3_key_prefix: "", s3_upload_id: "u" };

  test("without a status is being processed", () => {
    expect(parseRecord("any id at all", founding)).toEqual({
      kind: "founding",
      founding: {
        id: "any id at all",
        ...founding,
        status: "processing",
        kind: "processing",
        fence: 0,
        revision: 0,
      },
    });
  });

  test.each([
    ["pending_completion", "founding"],
    ["s3_completed", "founding"],
    ["completed", "founding"],
    ["failed_unknown", "founding"],
    ["melting", "corrupt"],
  ])("in %s is %s", (status, kind) => {
    expect(parseRecord("s", { ...founding, status }).kind).toBe(kind);
  });

  test.each([
    [{ original_path: "" }, ["original_path"]],
    [{ s3_bucket: "" }, ["s3_bucket"]],
    [{ s3_upload_id: "" }, ["s3_upload_id"]],
  ])("that lacks %j is incomplete", (over, missing) => {
    expect(parseRecord("s", { ...founding, ...over })).toEqual({ kind: "incomplete", missing });
  });

  test("needs a prefix or a key to derive its key from; an empty prefix will do", () => {
    const { s3_key_prefix: _, ...without } = founding;
    expect(parseRecord("s", without)).toEqual({ kind: "incomplete", missing: ["s3_key_prefix"] });
    expect(parseRecord("s", { ...without, s3_key: "k" })).toMatchObject({ kind: "founding" });
  });

  test("needs no upload id once its object exists", () => {
    const { s3_upload_id: _, ...without } = founding;
    expect(parseRecord("s", { ...without, status: "s3_completed" })).toMatchObject({ kind: "founding" });
  });

  test("keeps owner and fence of a claim, and drops times that are none", () => {
    const claimed = {
      ...founding,
      owner: "w1",
      fence: "3",
      started_at_utc: UTC,
      last_activity_at_utc: "noon",
    };
    const parsed = parseRecord("s", claimed);
    expect(parsed).toMatchObject({ founding: { owner: "w1", fence: 3, started_at_utc: UTC } });
    expect(parsed.kind === "founding" && parsed.founding).not.toHaveProperty("last_activity_at_utc");
  });
});

const KINDS_OF_ANSWER = ["record", "founding", "incomplete", "corrupt", "newer", "absent"];

describe("1,000 mutated records", { timeout: 30_000 }, () => {
  const mutation = fc.oneof(
    fc.constant("remove" as const),
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "",
      "-1",
      "NaN",
      "0",
      "1e400",
      "null",
      "{",
      "[]",
      "9".repeat(40),
      "\udcff",
      "__proto__",
      "constructor",
    ),
  );
  const parsers: ((hash: RawHash) => unknown)[] = [
    (raw) => parseRecord("s", raw),
    (raw) => listedStream("s", raw),
    (raw) => parseParts(raw),
    (raw) => parseMinute(raw),
    parseWorker,
    parseWatch,
    parseRequest,
    parsePlanRecord,
    parsePlanResults,
    parseFeedEntry,
    parseAudit,
    (raw) => Object.values(raw).map((text) => parseDone(text)),
    (raw) => Object.values(raw).map((text) => parseIgnored(text)),
    (raw) => Object.values(raw).map((text) => parseOrphan(text)),
    (raw) => Object.values(raw).map((text) => parseToAbort(text)),
    (raw) => Object.values(raw).map((text) => parseLog(text)),
  ];

  test("are all answered, and none throws", () => {
    const seeds: RawHash[] = [
      hash,
      { original_path: "/a", s3_bucket: "b", s3_key_prefix: "", s3_upload_id: "u" },
      { "1": '{"PartNumber":1,"ETag":"e","Size":5,"Offset":0}', "2": '{"PartNumber":2,"ETag":"e","Size":5}' },
      { id: "r", action: "retry", items: '["a"]', who: "w", filed_at_utc: UTC, "item:a": "{}" },
    ];
    const mutated = fc.tuple(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(), mutation, fc.boolean()), { minLength: 1, maxLength: 6 }),
    );
    fc.assert(
      fc.property(mutated, ([seed, mutations]) => {
        const raw: Record<string, string> = { ...seed };
        for (const [pick, value, rename] of mutations) {
          const fields = Object.keys(raw);
          const field = fields[pick % Math.max(fields.length, 1)] ?? "x";
          if (value === "remove") delete raw[field];
          else raw[rename ? value : field] = value;
        }
        // A throw fails the property.
        for (const parse of parsers) parse(raw);
        expect(KINDS_OF_ANSWER).toContain(parseRecord("s", raw).kind);
      }),
      { numRuns: 1_000 },
    );
  });

  test("read as a record only when every required value is sound", () => {
    fc.assert(
      fc.property(fc.constantFrom(...META_FIELDS), fc.string(), (field, value) => {
        const parsed = parseRecord(streamId("s1"), { ...hash, [field]: value });
        const again = parsed.kind === "record" ? recordFields(parsed.record) : undefined;
        // What is accepted is kept as it was written: nothing is read into it. Leading zeros are the one exception.
        expect(
          again === undefined || again[field] === value || field === "write_token" || /^0\d*$/.test(value),
        ).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

test.each(["0", "10002", "999999"])(
  "a next part that cannot be (%s) costs a row that one number, and nothing else",
  (next_part) => {
    const row = listedStream("s", { status: "processing", next_part, bytes_sent: "5" });
    expect(row).toEqual({ id: "s", status: "processing", kind: "processing", bytes_sent: 5 });
  },
);
