import { CheckpointError } from "@sluice/core";
import { ManualClock } from "@sluice/core/testing";
import { expect, test } from "vitest";
import { RedisPatience } from "./redis-patience.ts";
import { StartRefused } from "./refusal.ts";

function scene() {
  const clock = new ManualClock();
  const said: string[] = [];
  const note = (_: object, text: string): void => void said.push(text);
  const patience = new RedisPatience(clock, () => 0.5, { debug: note, info: note, warn: note, error: note });
  return { clock, said, patience, signal: new AbortController().signal };
}

test("D8d: a step of the start is tried until Redis lets it through, and says meanwhile what it waits for", async () => {
  const { clock, said, patience, signal } = scene();
  let asked = 0;
  const step = patience.wait(async () => {
    asked += 1;
    if (asked < 4) throw new CheckpointError("Redis is out of memory");
    return "done";
  }, signal);
  await clock.advance(0);
  expect(patience.trouble).toBe("Redis is out of memory");
  expect(await clock.drive(step)).toBe("done");
  expect(asked).toBe(4);
  expect(patience.trouble).toBeUndefined();
  expect(said).toHaveLength(2);
});

test("D8d: what cannot be right ends the start at once", async () => {
  const { patience, signal } = scene();
  const refused = new StartRefused(["Redis may evict checkpoints"]);
  await expect(patience.wait(() => Promise.reject(refused), signal)).rejects.toBe(refused);
});

test("D8d: a start that is told to end waits no more", async () => {
  const { clock, patience } = scene();
  const stop = new AbortController();
  const step = patience.wait(() => Promise.reject(new CheckpointError("away")), stop.signal);
  await clock.advance(0);
  stop.abort(new Error("stopped"));
  await expect(clock.drive(step)).rejects.toThrow("stopped");
});
