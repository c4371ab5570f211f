import { CheckpointError } from "@sluice/core";
import { ManualClock } from "@sluice/core/testing";
import { expect, test } from "vitest";
import { repeat } from "./repeat.ts";

function rounds(work: (round: number) => Promise<unknown>) {
  const clock = new ManualClock();
  const stop = new AbortController();
  let count = 0;
  const told: string[] = [];
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (_: object, text: string) => void told.push(text),
    error: () => undefined,
  };
  const running = repeat({
    everyMs: 1_000,
    work: () => work((count += 1)),
    ended: () => false,
    clock,
    signal: stop.signal,
    log,
  });
  running.catch(() => undefined);
  return { clock, stop, running, told, count: () => count };
}

test("Redis away costs a round, and nothing else", async () => {
  const { clock, stop, running, told, count } = rounds(async (round) => {
    if (round === 2) throw new CheckpointError("Redis is away");
  });
  await clock.advance(3_500);
  expect(count()).toBe(3);
  expect(told).toHaveLength(1);
  stop.abort();
  await clock.advance(1_000);
  await running.catch(() => undefined);
  expect(count()).toBe(3);
});

test("a fault of ours is no round that is tried again: it ends them", async () => {
  const { clock, running, count } = rounds(async () => {
    throw new Error("a bug");
  });
  await clock.advance(2_500);
  await expect(running).rejects.toThrow("a bug");
  expect(count()).toBe(1);
});

test("D4b: rounds that fail again and again are said with their reason, until one goes well", async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const said: (string | undefined)[] = [];
  let count = 0;
  const running = repeat({
    name: "the janitor",
    everyMs: 1_000,
    work: async () => {
      count += 1;
      if (count !== 5) throw new CheckpointError("the key orphans holds a string");
    },
    ended: () => false,
    clock,
    signal: stop.signal,
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    failing: (reason) => said.push(reason),
  });
  running.catch(() => undefined);
  await clock.advance(5_500);
  expect(said).toEqual(["the key orphans holds a string", "the key orphans holds a string", undefined]);
  stop.abort();
  await clock.advance(1_000);
  await running.catch(() => undefined);
});
