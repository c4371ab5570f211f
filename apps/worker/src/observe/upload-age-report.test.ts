import type { StreamRecord } from "@sluice/core";
import { expect, test } from "vitest";
import { uploadAgeReport } from "./upload-age-report.ts";

const HOUR = 3_600_000;
const BEGAN = Date.parse("2026-11-01T00:00:00Z");

/** A report over one stream, at an hour of its upload's day; what it says is kept. */
function reporting() {
  const said: string[] = [];
  let nowMs = BEGAN;
  const processor = { record: {} as StreamRecord };
  const report = uploadAgeReport({
    running: new Map([["s1", { processor }]]),
    log: { warn: (_, text) => void said.push(text) },
    clock: { wallMs: () => nowMs },
  });
  const at = async (hour: number, over: Partial<StreamRecord> = {}) => {
    nowMs = BEGAN + hour * HOUR;
    processor.record = {
      original_path: "/rec/a.mxf",
      s3_upload_id: "u1",
      create_intent_at_utc: new Date(BEGAN).toISOString(),
      upload_aborts_at_utc: new Date(BEGAN + 24 * HOUR).toISOString(),
      file_size: 200,
      bytes_sent: 200,
      ...over,
    } as StreamRecord;
    await report();
  };
  return { at, said };
}

test("an upload is told of when its last quarter begins, once more when its time is over, and not in between", async () => {
  const { at, said } = reporting();
  const hours: number[] = [];
  for (let hour = 0; hour <= 26; hour += 1) {
    const before = said.length;
    await at(hour);
    if (said.length > before) hours.push(hour);
  }
  expect(hours).toEqual([19, 24]);
  expect(said[0]).toContain("the store aborts this upload at 2026-11-02T00:00:00.000Z: ");
});

test("one that falls behind is told of at once; a new upload of the stream is another one", async () => {
  const { at, said } = reporting();
  await at(1, { bytes_sent: 1 });
  await at(2, { bytes_sent: 1 });
  expect(said).toHaveLength(1);
  await at(3, { bytes_sent: 1, s3_upload_id: "u2" });
  expect(said).toHaveLength(2);
});
