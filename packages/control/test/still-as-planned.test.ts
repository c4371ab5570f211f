/** What a confirmed plan asks of the workers, on a real Redis. */
import { streamId } from "@sluice/core";
import { Plans, RequestQueue, type NewRequest } from "@sluice/redis-schema";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  meta,
  NOW_UTC,
  record,
  startHarness,
  stored,
  type Harness,
} from "../../redis-schema/test/harness.ts";
import { changeSince, stillAsPlanned } from "../src/still-as-planned.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const request: NewRequest = { id: "t1", action: "retry", items: ["same"], who: "ann", filed_at_utc: NOW_UTC };

describe("D8i: of a confirmed plan the workers are asked", () => {
  const planned = { token: "t1", counts: {}, bytes: 0, who: "ann" };

  test("only for what still is as it was seen; asked again, for the same", async () => {
    const schema = harness.fresh();
    const failedStream = record({
      id: streamId("same"),
      status: "failed_file_missing",
      fence: 3,
      revision: 7,
    });
    const retried = { ...failedStream, id: streamId("retried"), fence: 4 };
    await schema.seed({ ...stored(failedStream, { index: "failed" }) });
    await schema.seed({ "stream:retried:meta": meta(retried) });
    const plans = new Plans(schema);
    const seen = "failed_file_missing:3:7";
    const plan = {
      ...planned,
      action: "retry",
      ids: ["same", "retried", "gone"],
      options: { seen: { same: seen, retried: seen, gone: seen } },
      ...(await plans.lifetime()),
    };
    await plans.save(plan);
    expect(await stillAsPlanned(schema, plan)).toEqual(["same"]);
    expect(await plans.results("t1")).toEqual(
      new Map([
        ["retried", { result: "refused", detail: expect.stringContaining("had another owner") }],
        ["gone", { result: "refused", detail: expect.stringContaining("no longer exists") }],
      ]),
    );
    await new RequestQueue(schema).file(request);
    await harness.raw.hset(schema.keys.streamMeta("same"), { status: "processing" });
    expect(await stillAsPlanned(schema, plan)).toEqual(["same"]);
  });

  test.each([
    [
      "a failed stream that stood still",
      "failed_file_missing:3:7",
      { status: "failed_file_missing", fence: 3, revision: 7 },
      undefined,
    ],
    [
      "a failed stream that failed anew",
      "failed_file_missing:3:7",
      { status: "failed_file_missing", fence: 3, revision: 9 },
      "it changed",
    ],
    ["a live one that grew", "processing:1:7", { status: "processing", fence: 1, revision: 70 }, undefined],
    ["a live one that opened", "opening:1:7", { status: "processing", fence: 1, revision: 9 }, undefined],
    [
      "a live one that is being completed",
      "processing:1:7",
      { status: "pending_completion", fence: 1, revision: 9 },
      "from processing to pending_completion",
    ],
    [
      "a live one of another owner",
      "processing:1:7",
      { status: "processing", fence: 2, revision: 9 },
      "had another owner",
    ],
    ["one that is gone", "processing:1:7", undefined, "no longer exists"],
  ] as const)("about %s", (_, seen, row, words) => {
    const change = changeSince(seen, row);
    if (words === undefined) expect(change).toBeUndefined();
    else expect(change).toContain(words);
  });
});
