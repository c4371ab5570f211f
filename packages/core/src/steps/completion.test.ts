import { describe, expect, it } from "vitest";
import { defaultRules, PART } from "../testing/test-values.ts";
import type { ProcessorDeps } from "../flow/dependencies.ts";
import { inView, judgeCompletion, quietNeededMs, waitsAtFirst, type CompletionFacts } from "./completion.ts";

const quiet: CompletionFacts = {
  quietMs: 30_000,
  longestPauseMs: 0,
  idleTimeoutMs: 30_000,
  idleMaxMs: 600_000,
  renamed: false,
};
const fresh = { name: "a.bin.done", fresh: true };
const stale = { name: "a.bin.done", fresh: false };

describe("a file is complete", () => {
  it.each([
    ["by idle after the quiet it needs", {}, "idle"],
    ["by a fresh marker, however lately it was written", { quietMs: 0, marker: fresh }, "marker"],
    ["by idle in spite of a stale marker", { marker: stale }, "idle"],
    ["F31: by the rename that drops its suffix", { quietMs: 0, renamed: true }, "rename"],
    ["F31: by a marker while it bears a suffix", { temporarySuffix: ".part", marker: fresh }, "marker"],
    [
      "F31: by finalize while it bears a suffix",
      { temporarySuffix: ".part", requested: "finalize" },
      "finalize",
    ],
    ["by finalize before all else", { quietMs: 0, requested: "finalize", marker: fresh }, "finalize"],
    ["by the end of its worker", { quietMs: 0, requested: "term" }, "term"],
  ] as const)("%s", (_case, facts, by) => {
    expect(judgeCompletion({ ...quiet, ...facts })).toEqual({ complete: true, by });
  });
});

describe("a file is not complete", () => {
  const waiting = (facts: Partial<CompletionFacts>) => {
    const judged = judgeCompletion({ ...quiet, ...facts });
    if (judged.complete) throw new Error("it is");
    return { waiting: judged.waiting(Date.parse("2026-01-01T00:01:00.000Z")), inMs: judged.inMs };
  };

  it("before it has been quiet for long enough, and says since when and until when", () => {
    expect(waiting({ quietMs: 20_000 })).toEqual({
      waiting: { for: "idle", since: "2026-01-01T00:00:40.000Z", until: "2026-01-01T00:01:10.000Z" },
      inMs: 10_000,
    });
  });

  it("F31: however quiet, while its name bears a temporary suffix", () => {
    const judged = waiting({ quietMs: 1e9, temporarySuffix: ".tmp", renamed: true, marker: stale });
    expect(judged).toEqual({ waiting: { for: "rename", suffix: ".tmp" }, inMs: undefined });
  });

  it("P10: by the end of its worker, while its name bears a temporary suffix", () => {
    const judged = waiting({ quietMs: 1e9, temporarySuffix: ".part", requested: "term" });
    expect(judged.waiting).toEqual({ for: "rename", suffix: ".part" });
  });

  it("while its marker is older than its last write", () => {
    expect(waiting({ quietMs: 0, marker: stale }).waiting).toEqual({ for: "marker", marker: "a.bin.done" });
  });
});

describe("the quiet a file needs", () => {
  it.each([
    ["the timeout, for one that writes steadily", 1_000, 30_000],
    ["three times its longest pause", 20_000, 60_000],
    ["no more than the most", 900_000, 600_000],
  ])("is %s", (_case, longestPauseMs, needed) => {
    expect(quietNeededMs({ longestPauseMs, idleTimeoutMs: 30_000, idleMaxMs: 600_000 })).toBe(needed);
  });

  it("is the timeout even where that exceeds the most", () => {
    expect(quietNeededMs({ longestPauseMs: 0, idleTimeoutMs: 900_000, idleMaxMs: 600_000 })).toBe(900_000);
  });
});

describe("a file that was just found waits", () => {
  const NOW = Date.parse("2026-01-01T00:00:00.000Z");
  const clock = { wallMs: () => NOW } as ProcessorDeps["clock"];
  const found = (path: string, size: number, unseen?: string) =>
    waitsAtFirst(path, { size }, defaultRules(), { clock, files: { unseen } as ProcessorDeps["files"] });
  const quietFor30s = { for: "idle", since: "2026-01-01T00:00:00.000Z", until: "2026-01-01T00:00:30.000Z" };

  it("for quiet from now on, short of a full part by one byte", () => {
    expect(found("/inbox/a.bin", PART - 1)).toStrictEqual(quietFor30s);
  });

  it("for three times the pause of the generation before it", () => {
    const files = { unseen: undefined } as ProcessorDeps["files"];
    const waiting = waitsAtFirst("/inbox/a.bin", { size: 1 }, defaultRules(), { clock, files }, 40_000);
    expect(waiting).toStrictEqual({ ...quietFor30s, until: "2026-01-01T00:02:00.000Z" });
  });

  it("for nothing with a full part, which goes first", () => {
    expect(found("/inbox/a.bin", PART)).toBeUndefined();
    expect(found("/inbox/a.part", PART)).toBeUndefined();
  });

  it("F31: for the rename of its temporary name", () => {
    expect(found("/inbox/a.part", 1, "another user")).toEqual({ for: "rename", suffix: ".part" });
  });

  it("for quiet, and says whom it might not see", () => {
    expect(found("/inbox/a.bin", 1, "another user")).toEqual({ ...quietFor30s, unseen: "another user" });
    const marker = { for: "marker", marker: "a.bin.done" } as const;
    expect(inView(marker, { unseen: "another user" })).toEqual(marker);
  });
});
