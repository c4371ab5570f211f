import { describe, expect, test } from "vitest";
import { planRetry } from "./plan-retry.ts";
import { canApply } from "./state.ts";

describe("a retry", () => {
  test.each([
    {
      name: "resumes after the last part where the upload is open",
      record: { failure_reason: "access_denied", s3_upload_id: "u", bytes_sent: 9 },
      event: "retried",
      again: 0,
      words: "Resumes after the last acknowledged part; nothing is sent again.",
    },
    {
      name: "writes only the metadata where the object is stored",
      record: {
        failure_reason: "object_conflict",
        s3_upload_id: "u",
        sealed_at_utc: "2026-01-01T00:00:00.000Z",
        bytes_sent: 9,
      },
      event: "redescribed",
      again: 0,
      words: "The object is stored",
    },
    {
      name: "sends all bytes again after a conflict",
      record: { failure_reason: "object_conflict", s3_upload_id: "u", bytes_sent: 9 },
      event: "restarted",
      again: 9,
      words: "the next free name",
    },
    {
      name: "sends all bytes again with a new plan after the part limit",
      record: { failure_reason: "part_limit", s3_upload_id: "u", bytes_sent: 9 },
      event: "restarted",
      again: 9,
      words: "from byte 0",
    },
    {
      name: "starts from byte 0 where there is no upload",
      record: { failure_reason: "aborted_by_operator", bytes_sent: 0 },
      event: "restarted",
      again: 0,
      words: "from byte 0",
    },
  ] as const)("$name", ({ record, event, again, words }) => {
    const plan = planRetry(record);
    expect(plan).toMatchObject({ event, bytesSentAgain: again });
    expect(plan.words).toContain(words);
    expect(canApply("failed", plan.event)).toBe(true);
  });
});
