import { newStream } from "@sluice/core/testing";
import { expect, it } from "vitest";
import { EndedStreams } from "./ended-streams.ts";

it("D8b: what is shown of a stream from before its end is known better, and only that", () => {
  const ended = new EndedStreams();
  const record = { ...newStream(), fence: 2, revision: 9 };
  ended.remember(record, new Map());
  expect(ended.knownBetter({ ...record, revision: 8 })?.record).toEqual(record);
  expect(ended.knownBetter({ ...record, fence: 1, revision: 30 })?.record).toEqual(record);
  // Retried by another worker since.
  expect(ended.knownBetter({ ...record, fence: 3, revision: 9 })).toBeUndefined();
  expect(ended.knownBetter(record)).toBeUndefined();
  ended.forget(record.id);
  expect(ended.knownBetter({ ...record, revision: 8 })).toBeUndefined();
});
