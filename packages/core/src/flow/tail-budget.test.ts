import { describe, expect, it } from "vitest";
import { LIMITS } from "../limits.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { TailBudget, type TailBudgetOptions, type TailTurn } from "./tail-budget.ts";

const MIB = 1024 * 1024;

function budget(over: Partial<TailBudgetOptions> = {}) {
  const clock = new ManualClock();
  const made = new TailBudget({
    windowMs: 30_000,
    traffic: { kind: "rate", bytesPerSecond: MIB },
    requestsPerSecond: 5,
    uploadSlots: 4,
    clock,
    ...over,
  });
  const woken: string[] = [];
  const ask = (id: string, sinceMs: number, isStuck = () => false) =>
    made.ask({ id, sinceMs, wake: () => woken.push(id), isStuck });
  const turnOf = (id: string, sinceMs = 0): TailTurn => {
    const asked = ask(id, sinceMs);
    if (asked.kind === "wait") throw new Error(`${id} has to wait`);
    return asked.turn;
  };
  return { clock, made, woken, ask, turnOf };
}

describe("the budget of tails", () => {
  it("gives one slot of four, and one of one", async () => {
    for (const [uploadSlots, tails] of [
      [1, 1],
      [4, 1],
      [7, 1],
      [8, 2],
    ] as const) {
      const { turnOf, ask } = budget({ uploadSlots });
      for (let n = 0; n < tails; n += 1) turnOf(`stream ${n}`);
      expect(ask("one more", 0).kind, `${uploadSlots} slots`).toBe("wait");
    }
  });

  it("lets the stream go first that was unprotected for longest, and wakes it", () => {
    const { ask, turnOf, woken } = budget();
    const turn = turnOf("a");
    ask("young", 900);
    ask("old", 100);
    turn.release();
    expect(woken).toEqual(["old"]);
    expect(ask("young", 900).kind).toBe("wait");
    expect(ask("old", 100).kind).toBe("turn");
  });

  it("passes over one that is called and does not come, or is no longer due", async () => {
    const { ask, turnOf, clock, made } = budget();
    turnOf("a").release();
    const turn = turnOf("b");
    ask("gone", 100);
    ask("young", 900);
    turn.release();
    expect(ask("young", 900).kind).toBe("wait");
    await clock.advance(LIMITS.tailTurnMs);
    expect(ask("young", 900).kind).toBe("turn");
    made.withdraw("young");
    expect(made.waiting).toBe(0);
  });

  it("does not hold the others up for one that the store refuses alone", () => {
    const { ask } = budget();
    let stuck = false;
    expect(ask("denied", 0, () => stuck).kind).toBe("turn");
    expect(ask("other", 0).kind).toBe("wait");
    stuck = true;
    expect(ask("other", 0).kind).toBe("turn");
  });

  it("may be overdrawn by one tail; the next waits until that is paid", async () => {
    const { turnOf, ask, clock } = budget();
    const turn = turnOf("a");
    turn.spend(11 * MIB, 1);
    turn.release();
    expect(ask("b", 0)).toEqual({ kind: "wait", ms: LIMITS.tailTurnMs });
    await clock.advance(9_000);
    expect(ask("b", 0)).toEqual({ kind: "wait", ms: 1_000 });
    await clock.advance(1_000);
    expect(ask("b", 0).kind).toBe("turn");
  });

  it("counts requests too", async () => {
    const { turnOf, ask, clock } = budget({ requestsPerSecond: 2 });
    const turn = turnOf("a");
    turn.spend(0, 4);
    turn.release();
    expect(ask("b", 0)).toEqual({ kind: "wait", ms: 1_000 });
    await clock.advance(1_000);
    expect(ask("b", 0).kind).toBe("turn");
  });

  it("of `4x` is four times what the files grow by, and at least 64 KiB a second", async () => {
    const spentIn = async (seconds: number, grownPerSecond: number): Promise<number> => {
      const { made, ask, clock } = budget({ traffic: { kind: "times", times: 4 } });
      let spent = 0;
      for (let n = 0; n < seconds * 10; n += 1) {
        made.grew(grownPerSecond / 10);
        await clock.advance(100);
        const asked = ask("a", 0);
        if (asked.kind === "wait") continue;
        asked.turn.spend(100_000, 0);
        asked.turn.release();
        spent += 100_000;
      }
      return spent / seconds;
    };
    expect(await spentIn(600, 0)).toBeCloseTo(64 * 1024, -4);
    expect(await spentIn(600, 50_000)).toBeCloseTo(200_000, -4);
  });

  it("keeps what files grew by for a minute too, however long nobody asked", async () => {
    const { made, turnOf, ask, clock } = budget({ traffic: { kind: "times", times: 4 } });
    await clock.advance(3_600_000);
    made.grew(3_600 * MIB);
    const turn = turnOf("a");
    turn.spend(4 * 61 * MIB, 0);
    turn.release();
    expect(ask("b", 0).kind).toBe("wait");
  });

  it("keeps what was not used for a minute, and no longer", async () => {
    const { turnOf, ask, clock } = budget();
    await clock.advance(8 * 3_600_000);
    const turn = turnOf("a");
    turn.spend(61 * MIB, 0);
    turn.release();
    expect(ask("b", 0).kind).toBe("wait");
  });

  it("shows the window really reached: the longest of late, and of those who wait", async () => {
    const { made, turnOf, ask, clock } = budget();
    expect(made.reachedMs).toBeUndefined();
    made.reached(31_000);
    made.reached(30_000);
    expect(made.reachedMs).toBe(31_000);
    await clock.advance(LIMITS.tailWindowSeenMs + 60_000);
    expect(made.reachedMs).toBeUndefined();
    turnOf("a");
    ask("b", clock.monotonicMs() - 45_000);
    expect(made.reachedMs).toBe(45_000);
  });
});
