import { describe, expect, it } from "vitest";
import { newStream } from "../testing/test-values.ts";
import type { StreamRecord } from "./record.ts";
import { streamId } from "./values.ts";
import { webhookBody, webhookEventOf } from "./webhook.ts";

const AT = "2026-11-28T10:00:00.000Z";

function stream(over: Partial<StreamRecord>): StreamRecord {
  return { ...newStream({ path: "/inbox/a\udce4.mkv" }), ...over };
}

describe("a change", () => {
  it.each([
    ["pending_completion", { status: "s3_completed" }, "completed"],
    ["s3_completed", { status: "completed" }, undefined],
    ["s3_completed", { status: "failed_object_conflict" }, "failed"],
    ["failed_object_conflict", { status: "s3_completed" }, "completed"],
    ["s3_completed", { status: "completed", completed_by: "salvage" }, "salvaged"],
    ["failed_file_missing", { status: "s3_completed", completed_by: "salvage" }, undefined],
    ["processing", { status: "failed_file_missing" }, "failed"],
    ["processing", { status: "failed_file_replaced", superseded_by: streamId("s2") }, undefined],
    ["opening", { status: "processing" }, undefined],
    ["failed_file_missing", { status: "failed_file_missing" }, undefined],
    ["failed_file_missing", { status: "opening" }, undefined],
  ] as const)("from %s to %j tells %s", (status, after, event) => {
    expect(webhookEventOf(stream({ status }), stream(after))).toBe(event);
  });
});

describe("a body", () => {
  it("has no path where the record has none", () => {
    const { original_path: _, ...rest } = stream({ status: "completed" });
    expect(JSON.parse(webhookBody("completed", rest, AT))).not.toHaveProperty("data.original_path");
  });

  it("of a stall says what the stream waits for, as data and in words", () => {
    const waiting = { for: "store", detail: "SlowDown: later" } as const;
    const record = stream({ status: "processing", waiting_for: JSON.stringify(waiting) });
    expect(JSON.parse(webhookBody("stalled", record, AT))).toMatchObject({
      data: { waiting_for: waiting, cause: "the store gives unexpected answers: SlowDown: later" },
    });
    expect(JSON.parse(webhookBody("failed", record, AT))).not.toHaveProperty("data.cause");
  });

  it("has the record's own names, no field that is not there, and bytes that are not UTF-8 as %XX", () => {
    const body = JSON.parse(webhookBody("completed", stream({ status: "completed", etag: "e" }), AT)) as {
      data: object;
    };
    expect(body).toMatchObject({ type: "stream.completed", timestamp: AT });
    expect(body.data).toMatchObject({ id: "s1", original_path: "/inbox/a%E4.mkv", etag: "e", file_size: 9 });
    for (const field of ["s3_upload_id", "failure_reason", "owner", "fence"])
      expect(body.data).not.toHaveProperty(field);
  });
});
