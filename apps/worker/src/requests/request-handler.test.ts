import { CheckpointError } from "@sluice/core";
import { ManualClock } from "@sluice/core/testing";
import { FEED_START } from "@sluice/redis-schema";
import { expect, test } from "vitest";
import { handleRequests, type RequestDeps } from "./request-handler.ts";

test("D8i: each wait begins at the newest of what the queue holds, so a queue that was lost or began anew hides nothing", async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const held: (string | undefined)[] = ["7-0", undefined, "3-0"];
  const asked: string[] = [];
  const queue = {
    next(_: unknown, position: string) {
      asked.push(position);
      if (asked.length === 3) stop.abort();
      return Promise.resolve({ requests: [], position });
    },
  };
  const desk = { sweep: () => Promise.resolve(held.shift()), take: () => undefined, work: () => undefined };
  await handleRequests({ clock, queue, desk } as unknown as RequestDeps, stop.signal);
  expect(asked).toEqual(["7-0", FEED_START, "3-0"]);
});

test("with Redis away requests are looked for again each second, until it is back", async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  let sweeps = 0;
  const desk = {
    sweep() {
      sweeps += 1;
      if (sweeps < 4) return Promise.reject(new CheckpointError("Redis is away"));
      stop.abort();
      return Promise.resolve(undefined);
    },
    take: () => undefined,
    work: () => undefined,
  };
  const queue = { next: () => Promise.resolve({ requests: [], position: "0-0" }) };
  const running = handleRequests({ clock, queue, desk } as unknown as RequestDeps, stop.signal);
  await clock.advance(900);
  expect(sweeps).toBe(1);
  await clock.advance(2_200);
  await running;
  expect(sweeps).toBe(4);
});
