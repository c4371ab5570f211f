import { describe, expect, it } from "vitest";
import { judgeVisibility, visibilityFacts, type VisibilityFacts } from "./process-visibility.ts";

/** pid → parent. */
function facts(tree: Record<number, number>, over: Partial<VisibilityFacts> = {}): VisibilityFacts {
  const processes = new Map(Object.entries(tree).map(([pid, parent]) => [Number(pid), { parent }]));
  return { processes, ownPid: 7, initialNamespace: false, closed: 0, hidden: false, ...over };
}

describe("other processes' files", () => {
  it("are all seen on the system itself, by a user who may", () => {
    expect(judgeVisibility(facts({ 1: 0, 7: 1, 9: 1 }, { initialNamespace: true })).seen).toBe("all");
    expect(judgeVisibility(facts({ 1: 0, 7: 1 }, { initialNamespace: true })).seen).toBe("all");
  });

  it.each([
    ["it is process 1", { 7: 0 }],
    ["only its init is above it", { 1: 0, 7: 1 }],
    ["there are only processes of its own", { 1: 0, 7: 1, 8: 7, 9: 8 }],
  ])("are not seen by a worker alone in its PID namespace: %s", (_, tree) => {
    const judged = judgeVisibility(facts(tree));
    expect(judged.seen).toBe("none");
    expect(judged.detail).toContain("shareProcessNamespace");
  });

  it("are seen in a namespace shared with another container", () => {
    expect(judgeVisibility(facts({ 1: 0, 7: 0, 30: 0 })).seen).toBe("all");
    expect(judgeVisibility(facts({ 1: 0, 7: 0 })).seen).toBe("all");
  });

  it("are seen in part where other users' processes are closed or hidden", () => {
    const some = judgeVisibility(facts({ 1: 0, 7: 1, 9: 1 }, { initialNamespace: true, closed: 2 }));
    expect(some).toMatchObject({
      seen: "some",
      detail: expect.stringContaining("2 processes of other users"),
    });
    const hidden = judgeVisibility(facts({ 7: 0 }, { initialNamespace: true, hidden: true }));
    expect(hidden).toMatchObject({ seen: "some", detail: expect.stringContaining("hidepid") });
  });

  it("are not seen without /proc", () => {
    expect(judgeVisibility(facts({}))).toMatchObject({
      seen: "none",
      detail: expect.stringContaining("no /proc"),
    });
  });

  it("are asked for in this very process: it sees itself and its parents", () => {
    const here = visibilityFacts([]);
    expect(here.processes.get(process.pid)?.parent).toBe(process.ppid);
  });
});
