import { CheckpointError } from "@sluice/core";
import { ManualClock } from "@sluice/core/testing";
import { expect, test } from "vitest";
import { handleRequests, type RequestDeps } from "./request-handler.ts";

test("with Redis away requests are asked for again each second, from where the last answer ended", async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const asked: string[] = [];
  const queue = {
    async next(_: unknown, position: string) {
      asked.push(position);
      if (asked.length === 1) return { requests: [], position: "7-0" };
      if (asked.length < 4) throw new CheckpointError("Redis is away");
      stop.abort();
      return { requests: [], position };
    },
  };
  const running = handleRequests({ clock, queue } as unknown as RequestDeps, stop.signal);
  await clock.advance(900);
  expect(asked).toHaveLength(2);
  await clock.advance(1_200);
  await running;
  expect(asked.slice(1)).toEqual(["7-0", "7-0", "7-0"]);
});
