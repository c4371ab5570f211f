import { describe, expect, it } from "vitest";
import { StoppedError, StoreError, type StoreTrouble } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { SILENT } from "../ports/observer.ts";
import { rejectionOf } from "../testing/rejection.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { StoreGate, type Asking } from "./store-gate.ts";

const never = new AbortController().signal;

function trouble(kind: StoreTrouble, retryAfterMs?: number): StoreError {
  return new StoreError({ trouble: kind, code: kind, message: kind, retryAfterMs });
}

function setUp() {
  const clock = new ManualClock();
  const heard: string[] = [];
  const observer = {
    ...SILENT,
    storeTrouble: (reason: string) => void heard.push(reason),
    storeRecovered: () => void heard.push("healed"),
  };
  const gate = new StoreGate({ clock, observer, random: () => 0.5 });
  /** Requests that reached the store, in order. */
  const asked: string[] = [];
  let answer: () => Promise<string> = () => Promise.resolve("yes");
  const ask = (name: string): Promise<string> =>
    gate.run(
      () => {
        asked.push(name);
        return answer();
      },
      never,
      { by: name },
    );
  return {
    clock,
    gate,
    heard,
    asked,
    ask,
    answers: (next: () => Promise<string>) => {
      answer = next;
    },
  };
}

describe("an open gate", () => {
  it("lets every request through at once", async () => {
    const { ask, asked, gate } = setUp();
    await Promise.all([ask("a"), ask("b"), ask("c")]);
    expect(asked).toEqual(["a", "b", "c"]);
    expect(gate.state).toEqual({ blocked: false });
  });

  it.each(["denied", "garbled", "rejected"] as const)("stays open when one stream meets %s", async (kind) => {
    const { ask, answers, gate } = setUp();
    answers(() => Promise.reject(trouble(kind)));
    await expect(ask("a")).rejects.toThrow(kind);
    expect(gate.state.blocked).toBe(false);
  });

  it.each(["unreachable", "throttled", "credentials", "bucket"] as const)(
    "P11: closes on %s",
    async (kind) => {
      const { ask, answers, gate, heard } = setUp();
      answers(() => Promise.reject(trouble(kind)));
      await expect(ask("a")).rejects.toThrow(kind);
      expect(gate.state).toEqual({ blocked: true, reason: `${kind}: ${kind}`, sinceMs: 0 });
      expect(heard).toEqual([`${kind}: ${kind}`]);
    },
  );
});

describe("a store that does not say a byte", () => {
  it("P11: is told before any request has failed, and is well again with the first answer", async () => {
    const { clock, ask, answers, gate, heard } = setUp();
    await clock.advance(20_000);
    const answered = Promise.withResolvers<string>();
    answers(() => answered.promise);
    const asking = ask("a");
    await Promise.resolve();
    gate.quiet(15_000);
    expect(gate.state).toEqual({
      blocked: true,
      reason: "it does not answer: no byte of any request for 15 s",
      sinceMs: 5_000,
    });
    expect(heard).toHaveLength(1);
    answered.resolve("late");
    await asking;
    expect(gate.state).toEqual({ blocked: false });
  });

  it("is no trouble of anybody once nobody waits for it", async () => {
    const { ask, answers, gate } = setUp();
    const answered = Promise.withResolvers<string>();
    answers(() => answered.promise);
    const asking = ask("a");
    await Promise.resolve();
    gate.quiet(15_000);
    answered.reject(new Error("its stream was aborted"));
    await expect(asking).rejects.toThrow("aborted");
    expect(gate.state).toEqual({ blocked: false });
  });

  it("closes when a request fails of it, counted from the first silence", async () => {
    const { clock, ask, answers, gate } = setUp();
    await clock.advance(60_000);
    const answered = Promise.withResolvers<string>();
    answers(() => answered.promise);
    const asking = ask("a");
    await Promise.resolve();
    gate.quiet(15_000);
    answered.reject(trouble("unreachable"));
    await expect(asking).rejects.toThrow("unreachable");
    expect(gate.state).toMatchObject({ blocked: true, reason: "unreachable: unreachable", sinceMs: 45_000 });
  });
});

describe("a closed gate", () => {
  it("sends one trial at a time, whoever waits", async () => {
    const { clock, ask, asked, answers } = setUp();
    answers(() => Promise.reject(trouble("unreachable")));
    await expect(ask("first")).rejects.toThrow(StoreError);
    const hanging = Promise.withResolvers<string>();
    answers(() => hanging.promise);
    const waiting = Array.from({ length: 50 }, (_, n) => ask(`w${n}`));
    await clock.advance(LIMITS.retryMostMs);
    expect(asked).toHaveLength(2);
    answers(() => Promise.resolve("yes"));
    hanging.resolve("yes");
    await clock.drive(Promise.all(waiting));
    expect(asked).toHaveLength(51);
  });

  it("heals with the trial that is answered, and says so once", async () => {
    const { clock, ask, answers, gate, heard } = setUp();
    answers(() => Promise.reject(trouble("unreachable")));
    await expect(ask("a")).rejects.toThrow(StoreError);
    answers(() => Promise.resolve("yes"));
    await clock.drive(ask("b"));
    expect(gate.state.blocked).toBe(false);
    expect(heard).toEqual(["unreachable: unreachable", "healed"]);
  });

  it("S30: waits longer from trial to trial, and never less than Retry-After", async () => {
    const { clock, ask, answers } = setUp();
    answers(() => Promise.reject(trouble("throttled", 45_000)));
    await expect(ask("a")).rejects.toThrow(StoreError);
    await expect(clock.drive(ask("b"))).rejects.toThrow(StoreError);
    expect(clock.monotonicMs()).toBe(45_000);
    answers(() => Promise.reject(trouble("unreachable")));
    await expect(clock.drive(ask("c"))).rejects.toThrow(StoreError);
    expect(clock.monotonicMs()).toBe(90_000);
    await expect(clock.drive(ask("d"))).rejects.toThrow(StoreError);
    // The third failure in a row: half of 200 ms doubled twice.
    expect(clock.monotonicMs()).toBe(90_400);
  });

  it("counts requests that fail together as one failure", async () => {
    const { clock, ask, answers, heard } = setUp();
    answers(() => Promise.reject(trouble("unreachable")));
    await Promise.allSettled([ask("a"), ask("b"), ask("c")]);
    expect(heard).toHaveLength(1);
    answers(() => Promise.resolve("yes"));
    await clock.drive(ask("d"));
    expect(clock.monotonicMs()).toBe(100);
  });

  it("is not held shut by a trial whose caller gave up", async () => {
    const { clock, ask, answers } = setUp();
    answers(() => Promise.reject(trouble("unreachable")));
    await expect(ask("a")).rejects.toThrow(StoreError);
    answers(() => Promise.reject(new Error("the caller's own trouble")));
    await expect(clock.drive(ask("b"))).rejects.toThrow("own trouble");
    answers(() => Promise.resolve("yes"));
    expect(await clock.drive(ask("c"))).toBe("yes");
  });

  it("lets a waiting request go when its signal aborts, and nothing sleeps on", async () => {
    const { clock, gate, ask, answers } = setUp();
    answers(() => Promise.reject(trouble("unreachable")));
    await expect(ask("a")).rejects.toThrow(StoreError);
    const stop = new AbortController();
    const waiting = gate.run(() => Promise.resolve("late"), stop.signal, { by: "b" });
    const gone = rejectionOf(waiting);
    await clock.settle();
    stop.abort(new Error("gone"));
    expect(await gone).toHaveProperty("message", "gone");
    expect(clock.sleeping).toBe(0);
  });

  it("P10: refuses who waits when the worker stops, and lets those under way end", async () => {
    const { clock, gate, ask, answers, asked } = setUp();
    answers(() => Promise.reject(trouble("unreachable")));
    await expect(ask("a")).rejects.toThrow(StoreError);
    const hanging = Promise.withResolvers<string>();
    answers(() => hanging.promise);
    const trial = ask("trial");
    await clock.advance(1_000);
    const waiting = ask("waiting");
    const refused = rejectionOf(waiting);
    await clock.settle();
    gate.stopWaiting();
    expect(await refused).toBeInstanceOf(StoppedError);
    hanging.resolve("yes");
    expect(await trial).toBe("yes");
    expect(asked).toEqual(["a", "trial"]);
  });
});

it("D4c: a bucket that is not ours neither closes the gate nor opens one that is closed", async () => {
  const { gate, ask, answers, clock } = setUp();
  answers(() => Promise.reject(trouble("not_ours")));
  await rejectionOf(ask("a"));
  expect(gate.state.blocked).toBe(false);
  answers(() => Promise.reject(trouble("unreachable")));
  await rejectionOf(ask("b"));
  answers(() => Promise.reject(trouble("not_ours")));
  await clock.drive(rejectionOf(ask("c")));
  expect(gate.state).toMatchObject({ blocked: true, reason: "unreachable: unreachable" });
});

describe("D6c: trouble that one stream meets", () => {
  /** A stream on its own meets it until the pauses have grown to their longest. */
  async function alone(gate: ReturnType<typeof setUp>, kind: StoreTrouble, retryAfterMs?: number) {
    gate.answers(() => Promise.reject(trouble(kind, retryAfterMs)));
    for (let at = 0; at < 12; at += 1) await gate.clock.drive(rejectionOf(gate.ask("odd")));
  }

  it.each([
    ["unreachable", undefined],
    ["unreachable", 60_000],
    ["credentials", undefined],
    ["bucket", undefined],
  ] as const)("D6c: (%s, Retry-After %s) holds another stream back for 5 s at most", async (kind, wish) => {
    const set = setUp();
    await alone(set, kind, wish);
    expect(set.gate.state.blocked).toBe(true);
    set.answers(() => Promise.resolve("yes"));
    const before = set.clock.monotonicMs();
    await set.clock.drive(set.ask("other"));
    expect(set.clock.monotonicMs() - before).toBeLessThanOrEqual(LIMITS.othersWaitMs);
    expect(set.gate.state.blocked).toBe(false);
  });

  it("D6c: holds nobody back while its own trial hangs", async () => {
    const set = setUp();
    await alone(set, "unreachable");
    const hanging = Promise.withResolvers<string>();
    set.answers(() => hanging.promise);
    const trial = set.ask("odd");
    await set.clock.advance(LIMITS.retryMostMs);
    set.answers(() => Promise.resolve("yes"));
    expect(await set.ask("other")).toBe("yes");
    hanging.resolve("late");
    await trial;
  });

  it("is the store's wish to all when it throttles", async () => {
    const set = setUp();
    await alone(set, "throttled", 45_000);
    set.answers(() => Promise.resolve("yes"));
    const before = set.clock.monotonicMs();
    await set.clock.drive(set.ask("other"));
    expect(set.clock.monotonicMs() - before).toBe(45_000);
  });

  it("D6c: closes nothing while the bucket answers, and ends an earlier trouble", async () => {
    const { clock, ask, answers, gate, heard } = setUp();
    answers(() => Promise.reject(trouble("unreachable")));
    await rejectionOf(ask("other"));
    answers(() => Promise.reject(trouble("failing")));
    await clock.drive(rejectionOf(ask("odd")));
    await rejectionOf(ask("odd"));
    expect(gate.state).toEqual({ blocked: false });
    expect(heard).toEqual(["unreachable: unreachable", "healed"]);
  });

  it("P11: is the store's when a second stream meets the same, and nothing of the kind is answered in between", async () => {
    const { gate, clock } = setUp();
    const ask = (by: string, kind: "sends" | "asks", failing: boolean) => {
      const request = () => (failing ? Promise.reject(trouble("failing")) : Promise.resolve("yes"));
      return gate.run(request, never, { by, kind }).catch(() => "failed");
    };
    await ask("a", "sends", true);
    // What sends nothing says nothing of what does.
    await ask("b", "asks", false);
    await ask("c", "asks", true);
    expect(gate.state.blocked).toBe(false);
    await ask("b", "sends", true);
    expect(gate.state).toMatchObject({ blocked: true, reason: "failing: failing" });

    await clock.drive(ask("d", "sends", false));
    expect(gate.state.blocked).toBe(false);
    // By now both are known to be odd.
    for (const by of ["a", "b", "a", "b"]) await ask(by, "sends", true);
    expect(gate.state.blocked).toBe(false);
    await ask("d", "sends", true);
    await ask("e", "sends", true);
    expect(gate.state.blocked).toBe(true);
    await clock.drive(ask("a", "sends", false));
    await ask("a", "sends", true);
    await ask("f", "sends", true);
    expect(gate.state.blocked).toBe(true);
  });
});

describe("P11: a gate that two streams closed, whose requests of one kind fail while the bucket answers", () => {
  const blocked = { blocked: true, reason: "failing: failing" };

  async function closedBySends() {
    const set = setUp();
    const ask = (asking: Asking, fails?: StoreTrouble): Promise<unknown> => {
      const request = () => (fails ? Promise.reject(trouble(fails)) : Promise.resolve("yes"));
      return set.clock.drive(set.gate.run(request, never, asking).catch(() => "failed"));
    };
    await ask({ by: "a", kind: "sends" }, "failing");
    await ask({ by: "b", kind: "sends" }, "failing");
    expect(set.gate.state).toMatchObject(blocked);
    return { ...set, ask };
  }

  it.each<[string, StoreTrouble | undefined]>([
    ["is answered", undefined],
    ["fails for one stream", "failing"],
    ["is denied", "denied"],
  ])("stays closed when a request of the other kind %s", async (_case, fails) => {
    const { gate, ask } = await closedBySends();
    await ask({ by: "c", kind: "asks" }, fails);
    expect(gate.state).toMatchObject(blocked);
    await ask({ by: "c", kind: "sends" });
    expect(gate.state.blocked).toBe(false);
  });

  it("stays closed when another stream's request of the kind is denied", async () => {
    const { gate, ask } = await closedBySends();
    await ask({ by: "c", kind: "sends" }, "denied");
    expect(gate.state).toMatchObject(blocked);
  });

  it.each<[string, (set: Awaited<ReturnType<typeof closedBySends>>) => void | Promise<unknown>]>([
    ["gave up", ({ gate }) => gate.gaveUp("a")],
    ["is answered something else", ({ ask }) => ask({ by: "a", kind: "sends" }, "denied")],
  ])("opens with any answer once one of the two %s", async (_case, ends) => {
    const set = await closedBySends();
    await ends(set);
    await set.ask({ by: "c", kind: "asks" });
    expect(set.gate.state.blocked).toBe(false);
  });
});

it.each<[string, StoreTrouble | undefined]>([
  ["is answered", undefined],
  ["fails while the bucket answers", "failing"],
  ["is denied", "denied"],
])("P11: a look-up that %s does not open a closed gate", async (_case, fails) => {
  const { clock, gate, ask, answers } = setUp();
  answers(() => Promise.reject(trouble("unreachable")));
  await rejectionOf(ask("a"));
  const request = () => (fails ? Promise.reject(trouble(fails)) : Promise.resolve("yes"));
  const lookUp = gate.run(request, never, { by: "b", provesRecovery: false }).catch(() => "failed");
  await clock.drive(lookUp);
  expect(gate.state).toMatchObject({ blocked: true, reason: "unreachable: unreachable" });
});

it("P11: look-ups of two streams that failed do not hold the gate closed once they are answered", async () => {
  const { clock, gate } = setUp();
  const lookUp = (by: string, request: () => Promise<unknown>) =>
    clock.drive(gate.run(request, never, { by, provesRecovery: false }).catch(() => "failed"));
  await lookUp("a", () => Promise.reject(trouble("failing")));
  await lookUp("b", () => Promise.reject(trouble("failing")));
  await lookUp("a", () => Promise.resolve("yes"));
  expect(gate.state.blocked).toBe(true);
  await clock.drive(gate.run(() => Promise.resolve("yes"), never, { by: "a", kind: "sends" }));
  expect(gate.state.blocked).toBe(false);
});

it("P9: streams that fail alone are remembered up to a number, and then judged again", async () => {
  const { gate } = setUp();
  const fail = (by: string) => rejectionOf(gate.run(() => Promise.reject(trouble("failing")), never, { by }));
  for (let n = 0; n < 1_000; n += 1) {
    await fail(`odd${n}`);
    await gate.run(() => Promise.resolve("yes"), never, { by: "other" });
  }
  await fail("odd0");
  await fail("odd1");
  expect(gate.state.blocked).toBe(false);
  await gate.run(() => Promise.resolve("yes"), never, { by: "other" });
  await fail("odd0");
  await fail("odd1");
  expect(gate.state.blocked).toBe(true);
});
