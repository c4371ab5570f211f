import { expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { Wakeup } from "./wakeup.ts";

const never = new AbortController().signal;
const SECOND = { ms: 1_000, markedMs: 200 };

it("a poke before the wait ends it at once, and only it", async () => {
  const clock = new ManualClock();
  const wakeup = new Wakeup();
  wakeup.poke();
  wakeup.poke();
  await wakeup.wait(SECOND, clock, never);
  expect(clock.monotonicMs()).toBe(0);
  await clock.drive(wakeup.wait(SECOND, clock, never));
  expect(clock.monotonicMs()).toBe(1_000);
});

it("a poke during the wait ends it, and nothing sleeps on", async () => {
  const clock = new ManualClock();
  const wakeup = new Wakeup();
  const waiting = wakeup.wait(SECOND, clock, never);
  await clock.advance(10);
  wakeup.poke();
  await waiting;
  expect(clock.monotonicMs()).toBe(10);
  expect(clock.sleeping).toBe(0);
});

it("an aborted signal ends the wait, before it and during it", async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const waiting = new Wakeup().wait(SECOND, clock, stop.signal);
  stop.abort();
  await waiting;
  await new Wakeup().wait(SECOND, clock, stop.signal);
  expect(clock.monotonicMs()).toBe(0);
});

it("a mark brings the end forward, however many come; the wait after it is whole again", async () => {
  const clock = new ManualClock();
  const wakeup = new Wakeup();
  const waiting = wakeup.wait(SECOND, clock, never);
  await clock.advance(10);
  for (let n = 0; n < 1_000; n += 1) wakeup.mark();
  await clock.advance(189);
  expect(clock.sleeping).toBe(1);
  await clock.advance(1);
  await waiting;
  expect(clock.monotonicMs()).toBe(200);
  await clock.drive(wakeup.wait(SECOND, clock, never));
  expect(clock.monotonicMs()).toBe(1_200);
});

it("a mark that comes later than its time ends the wait at once; one before the wait counts", async () => {
  const clock = new ManualClock();
  const wakeup = new Wakeup();
  const waiting = wakeup.wait(SECOND, clock, never);
  await clock.advance(700);
  wakeup.mark();
  await waiting;
  expect(clock.monotonicMs()).toBe(700);
  wakeup.mark();
  await clock.drive(wakeup.wait(SECOND, clock, never));
  expect(clock.monotonicMs()).toBe(900);
});

it("a mark never makes a wait longer, and a poke ends a marked one", async () => {
  const clock = new ManualClock();
  const wakeup = new Wakeup();
  wakeup.mark();
  await clock.drive(wakeup.wait({ ms: 50, markedMs: 200 }, clock, never));
  expect(clock.monotonicMs()).toBe(50);
  wakeup.mark();
  const waiting = wakeup.wait(SECOND, clock, never);
  await clock.advance(10);
  wakeup.poke();
  await waiting;
  expect(clock.monotonicMs()).toBe(60);
  expect(clock.sleeping).toBe(0);
});
