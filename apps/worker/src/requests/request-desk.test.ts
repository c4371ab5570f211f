import { CheckpointError } from "@sluice/core";
import { ManualClock } from "@sluice/core/testing";
import type { ItemResult, QueuedRequest, RequestRecord } from "@sluice/redis-schema";
import { describe, expect, it } from "vitest";
import { RequestDesk, type Answer, type DeskDeps, type Task } from "./request-desk.ts";

/** The queue in memory: what is settled, and in how many commands. */
function office(answer: (task: Task) => Promise<Answer>) {
  const clock = new ManualClock();
  const stop = new AbortController();
  const requests = new Map<string, QueuedRequest>();
  const results = new Map<string, Map<string, ItemResult>>();
  const settled: string[] = [];
  let commands = 0;
  let away = false;
  const of = (id: string) => results.get(id) ?? new Map<string, ItemResult>();
  const queue: DeskDeps["queue"] = {
    entries: () =>
      away
        ? Promise.reject(new CheckpointError("away"))
        : Promise.resolve([...requests.values()].map(({ position, request: { id } }) => ({ position, id }))),
    load: (entries) => {
      const known = entries.flatMap(({ id }) => requests.get(id) ?? []);
      return Promise.resolve({ requests: known, unreadable: [] });
    },
    answered: (id) => Promise.resolve(of(id).size),
    settledAmong: (id, items) => Promise.resolve(items.filter((item) => of(id).has(item))),
    settleAll: ({ id, items }, batch) => {
      commands += 1;
      if (away) return Promise.reject(new CheckpointError("away"));
      const all = of(id);
      for (const [item, result] of batch) if (!all.has(item)) all.set(item, result);
      results.set(id, all);
      settled.push(...batch.map(([item]) => item));
      const allSettled = all.size >= new Set(items).size;
      if (allSettled) requests.delete(id);
      return Promise.resolve({ kind: "settled", allSettled });
    },
    hold: () => Promise.resolve(true),
    ageMs: () => Promise.resolve(0),
  };
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
  };
  const desk = new RequestDesk({ queue, clock, workerId: "w", nonce: "n", answer, log }, stop.signal);
  const file = (action: RequestRecord["action"], ...items: string[]) => {
    const id = `r${requests.size + results.size + 1}-${items[0]}`;
    const request: RequestRecord = {
      id,
      action,
      items,
      who: "op",
      filed_at_utc: new Date(0).toISOString(),
      state: "filed",
      results: {},
    };
    requests.set(id, { position: `${requests.size + 1}-0`, request });
    return id;
  };
  return {
    clock,
    desk,
    file,
    settled,
    result: (id: string, item: string) => of(id).get(item),
    commands: () => commands,
    away: (is: boolean) => (away = is),
    /** As another worker would. */
    settleElsewhere: (id: string, item: string) =>
      results.set(id, new Map([...of(id), [item, { result: "done", worker: "x", at_utc: "" }]])),
    stop,
  };
}

const done = (): Promise<Answer> => Promise.resolve({ kind: "done" });
const settledSoon = (clock: ManualClock): Promise<void> => clock.advance(1);

describe("the desk", () => {
  it("D4d: lets another request in after one item each, and settles 2,500 items in few commands", async () => {
    const { desk, file, settled, commands, clock } = office(done);
    file("retry", ...Array.from({ length: 2_500 }, (_, at) => `bulk${at}`));
    file("finalize", "single");
    await desk.sweep();
    desk.work();
    await clock.until(() => settled.length === 2_501);
    expect(settled.indexOf("single")).toBeLessThan(20);
    expect(commands()).toBeLessThan(500);
    expect(new Set(settled).size).toBe(2_501);
  });

  it("D8a: looks again at what was not ours, when a stream was taken over and every few seconds, until it is answered", async () => {
    let ours = false;
    let looks = 0;
    const { desk, file, result, clock } = office(() => {
      looks += 1;
      return Promise.resolve(ours ? { kind: "done" } : { kind: "pending" });
    });
    const id = file("abort", "s1");
    await desk.sweep();
    desk.work();
    await settledSoon(clock);
    desk.work();
    expect(looks).toBe(1);
    desk.lookAgain();
    await settledSoon(clock);
    expect(looks).toBe(2);
    ours = true;
    await clock.advance(2_500);
    desk.work();
    await settledSoon(clock);
    expect(result(id, "s1")).toMatchObject({ result: "done", worker: "w" });
  });

  it("D8e: answers a finalize while three questions hang, and those at their deadline", async () => {
    const { desk, file, result, clock } = office(({ queued }) =>
      queued.request.action === "head_object" ? new Promise<Answer>(() => undefined) : done(),
    );
    const hung = [1, 2, 3, 4, 5].map((at) => file("head_object", `s${at}`));
    const id = file("finalize", "s9");
    await desk.sweep();
    desk.work();
    await settledSoon(clock);
    expect(result(id, "s9")?.result).toBe("done");
    await clock.advance(26_000);
    expect(result(hung[0] ?? "", "s1")).toMatchObject({
      result: "failed",
      detail: expect.stringContaining("25 s"),
    });
  });

  it("looks at the one item whose moment has come, and at no other", async () => {
    const looked: string[] = [];
    const again = new Map<string, () => void>();
    const { desk, file, clock } = office((task) => {
      looked.push(task.item);
      again.set(task.item, () => task.again());
      return Promise.resolve({ kind: "pending" });
    });
    file("abort", "s1", "s2", "s3");
    await desk.sweep();
    desk.work();
    await settledSoon(clock);
    again.get("s2")?.();
    await settledSoon(clock);
    expect(looked).toEqual(["s1", "s2", "s3", "s2"]);
  });

  it("keeps an answer that Redis was too far away for, and gives it once", async () => {
    const { desk, file, result, away, clock, settled } = office(done);
    const id = file("finalize", "s1");
    await desk.sweep();
    away(true);
    desk.work();
    await settledSoon(clock);
    desk.lookAgain();
    away(false);
    await clock.advance(1_100);
    expect(result(id, "s1")?.result).toBe("done");
    expect(settled).toEqual(["s1"]);
  });

  it("drops what another worker has answered, and a fault of ours is that item's answer alone", async () => {
    const { desk, file, result, settleElsewhere, clock } = office(({ item }) =>
      item === "bad" ? Promise.reject(new TypeError("a bug")) : Promise.resolve({ kind: "pending" }),
    );
    const id = file("abort", "theirs", "bad", "open");
    await desk.sweep();
    desk.work();
    settleElsewhere(id, "theirs");
    await settledSoon(clock);
    await desk.sweep();
    expect(result(id, "bad")).toMatchObject({ result: "failed", detail: "a bug" });
    expect(result(id, "theirs")?.worker).toBe("x");
    expect(result(id, "open")).toBeUndefined();
  });
});
