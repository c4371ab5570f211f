import { describe, expect, it } from "vitest";
import { MIB, type PartPlan } from "./part-plan.ts";
import { bothDoubts, decideTail, protectedBytes, type TailDecision, type TailFacts } from "./safeguard.ts";

const WINDOW = 30_000;
const NOW = 100_000;
const growing: TailFacts = {
  windowMs: WINDOW,
  nowMs: NOW,
  sinceMs: NOW - WINDOW,
  inFlight: false,
  opening: false,
  quiet: false,
  completeInMs: 29_000,
};

const NOTHING: TailDecision = { kind: "nothing" };
const DUE: TailDecision = { kind: "due", sinceMs: NOW - WINDOW };

describe("a growing file's tail", () => {
  const rows: [what: string, facts: Partial<TailFacts>, decision: TailDecision][] = [
    ["is due when its oldest byte is a window old", {}, DUE],
    ["is not sent where all is in S3", { sinceMs: undefined }, NOTHING],
    ["is not sent while a request for its number is under way", { inFlight: true }, NOTHING],
    [
      "is due later while its oldest byte is younger",
      { sinceMs: NOW - 10_000 },
      { kind: "later", inMs: 20_000 },
    ],
    [
      "is due at once where nobody knows how old it is",
      { sinceMs: -Infinity },
      { kind: "due", sinceMs: -Infinity },
    ],
    ["is due before the first part is full, while somebody writes", { opening: true }, DUE],
    ["is due where the file is quiet and has an upload", { quiet: true }, DUE],
    [
      "waits for the PutObject of a quiet file that silence completes within one more window",
      { opening: true, quiet: true },
      { kind: "later", inMs: 29_000 },
    ],
    ["is due where that takes longer", { opening: true, quiet: true, completeInMs: WINDOW + 1 }, DUE],
    [
      "is due where silence does not complete it",
      { opening: true, quiet: true, completeInMs: undefined },
      DUE,
    ],
  ];
  it.each(rows)("%s", (_, facts, decision) => {
    expect(decideTail({ ...growing, ...facts })).toEqual(decision);
  });
});

describe("what is protected", () => {
  const plan: PartPlan = { kind: "stepped", partBytes: 8 * MIB };

  it("is the run of acknowledged parts, the tail among them", () => {
    expect(protectedBytes(8 * MIB + 5, plan, undefined)).toBe(8 * MIB + 5);
  });

  it("ends before the part whose number is in doubt, whatever was acknowledged under it since", () => {
    expect(protectedBytes(24 * MIB, plan, { number: 2, untilMs: 1 })).toBe(8 * MIB);
    expect(protectedBytes(8 * MIB, plan, { number: 3, untilMs: 1 })).toBe(8 * MIB);
  });

  it("is in doubt from the first such number on, until the last request is past its deadline", () => {
    const first = { number: 4, untilMs: 50 };
    expect(bothDoubts(undefined, first)).toBe(first);
    expect(bothDoubts(first, { number: 5, untilMs: 40 })).toEqual({ number: 4, untilMs: 50 });
    expect(bothDoubts(first, { number: 3, untilMs: 60 })).toEqual({ number: 3, untilMs: 60 });
  });
});
