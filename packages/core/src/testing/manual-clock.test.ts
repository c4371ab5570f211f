import { describe, expect, it } from "vitest";
import { ManualClock } from "./manual-clock.ts";

describe("time in a test's hand", () => {
  it("wakes sleepers in order of their time, then of their asking, each at its own time", async () => {
    const clock = new ManualClock();
    const woken: [string, number][] = [];
    const sleep = async (name: string, ms: number): Promise<void> => {
      await clock.sleep(ms);
      woken.push([name, clock.monotonicMs()]);
    };
    for (const [name, ms] of [
      ["c", 30],
      ["a", 10],
      ["b", 10],
    ] as const)
      void sleep(name, ms);
    await clock.advance(20);
    expect(woken).toEqual([
      ["a", 10],
      ["b", 10],
    ]);
    expect([clock.monotonicMs(), clock.sleeping]).toEqual([20, 1]);
    await clock.advance(10);
    expect(woken.at(-1)).toEqual(["c", 30]);
  });

  it("wakes what falls asleep on the way", async () => {
    const clock = new ManualClock();
    let rounds = 0;
    const loop = async (): Promise<void> => {
      for (; rounds < 100; rounds += 1) await clock.sleep(7);
    };
    void loop();
    await clock.advance(70);
    expect(rounds).toBe(10);
  });

  it("lets a sleeper go when its signal aborts, before and during", async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const sleeping = clock.sleep(1_000, stop.signal);
    stop.abort();
    await sleeping;
    await clock.sleep(1_000, stop.signal);
    expect([clock.sleeping, clock.monotonicMs()]).toEqual([0, 0]);
  });

  it("F29: is set without anyone's sleep noticing", async () => {
    const clock = new ManualClock();
    const before = clock.wallMs();
    clock.stepWall(-3_600_000);
    expect(clock.wallMs()).toBe(before - 3_600_000);
    expect([clock.monotonicMs(), clock.elsewhereMs()]).toEqual([0, before]);
  });

  it("says so when what is waited for cannot come", async () => {
    const clock = new ManualClock();
    await expect(clock.until(() => false)).rejects.toThrow("nothing waits for time");
    void clock.sleep(100);
    await expect(clock.until(() => false, 50)).rejects.toThrow("not within 50 ms");
    await expect(clock.drive(Promise.reject(new Error("its own")))).rejects.toThrow("its own");
  });
});
