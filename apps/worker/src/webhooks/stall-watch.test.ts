import type { StreamRecord } from "@sluice/core";
import { FACTS, newStream } from "@sluice/core/testing";
import { expect, test } from "vitest";
import { StallWatch } from "./stall-watch.ts";

const MIB = 1024 * 1024;
const START = Date.parse("2026-11-28T10:00:00.000Z");

function stream(over: Partial<StreamRecord>): StreamRecord {
  const fresh = newStream({ nowUtc: new Date(START).toISOString(), facts: { ...FACTS, size: 9 * MIB } });
  return { ...fresh, status: "processing", ...over };
}

test("a stall is told once, with the file as it lies there, again after progress, and again when Redis knew better the first time", async () => {
  let record = stream({});
  let now = START;
  let answer = false;
  const reported: string[] = [];
  let unshippedBytes = record.file_size;
  let size = 0;
  const outbox = {
    reportStalled: async (seen: StreamRecord) => {
      reported.push(seen.last_activity_at_utc);
      size = seen.file_size;
      return answer;
    },
  };
  const watch = new StallWatch({
    held: () => [{ record, unshippedBytes }],
    outbox,
    stallAfterMs: 120_000,
    clock: { wallMs: () => now },
  });
  const look = async () => {
    await watch.look();
    return reported.length;
  };

  expect(await look()).toBe(0);
  now += 120_000;
  expect(await look()).toBe(1);
  answer = true;
  expect(await look()).toBe(2);
  expect(await look()).toBe(2);
  record = stream({ last_activity_at_utc: new Date(now).toISOString() });
  expect(await look()).toBe(2);
  now += 120_000;
  expect(await look()).toBe(3);
  now += 120_000;
  record = stream({ last_activity_at_utc: new Date(now).toISOString(), bytes_sent: 8 * MIB });
  unshippedBytes = 4 * MIB;
  now += 120_000;
  expect(await look()).toBe(3);
  unshippedBytes = 8 * MIB;
  expect(await look()).toBe(4);
  expect(size).toBe(16 * MIB);
});
