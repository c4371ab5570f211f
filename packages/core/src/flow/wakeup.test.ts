import { expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { Wakeup } from "./wakeup.ts";

const never = new AbortController().signal;

it("a poke before the wait ends it at once, and only it", async () => {
  const clock = new ManualClock();
  const wakeup = new Wakeup();
  wakeup.poke();
  wakeup.poke();
  await wakeup.wait(1_000, clock, never);
  expect(clock.monotonicMs()).toBe(0);
  await clock.drive(wakeup.wait(1_000, clock, never));
  expect(clock.monotonicMs()).toBe(1_000);
});

it("a poke during the wait ends it, and nothing sleeps on", async () => {
  const clock = new ManualClock();
  const wakeup = new Wakeup();
  const waiting = wakeup.wait(1_000, clock, never);
  await clock.advance(10);
  wakeup.poke();
  await waiting;
  expect(clock.monotonicMs()).toBe(10);
  expect(clock.sleeping).toBe(0);
});

it("an aborted signal ends the wait, before it and during it", async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const waiting = new Wakeup().wait(1_000, clock, stop.signal);
  stop.abort();
  await waiting;
  await new Wakeup().wait(1_000, clock, stop.signal);
  expect(clock.monotonicMs()).toBe(0);
});
