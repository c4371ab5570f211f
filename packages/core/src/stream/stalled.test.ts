import { describe, expect, it } from "vitest";
import { MIB, bytesToFullPart } from "./part-plan.ts";
import { isStalled, type StallFacts } from "./stalled.ts";

const STALL_AFTER = 120_000;
const due: StallFacts = { kind: "processing", lagBytes: 8, bytesToFullPart: 8, quietMs: STALL_AFTER };

describe("a stream", () => {
  it.each<[string, Partial<StallFacts>, boolean]>([
    ["with a full part on disk for so long is stalled", {}, true],
    ["that has not been opened in S3 yet is, too", { kind: "opening" }, true],
    ["of which something went up lately is not", { quietMs: STALL_AFTER - 1 }, false],
    ["that only has a tail waits for its seal", { lagBytes: 7 }, false],
    ["that is to be sealed is due whatever is left of it", { kind: "pending_completion", lagBytes: 0 }, true],
    ["whose object exists is not", { kind: "s3_completed" }, false],
    ["that failed is not", { kind: "failed" }, false],
  ])("%s", (_, over, stalled) => {
    expect(isStalled({ ...due, ...over }, STALL_AFTER)).toBe(stalled);
  });
});

describe("the next part", () => {
  it("has the size its plan gives it, one byte where there is no plan or no part left", () => {
    const p = 8 * MIB;
    expect(bytesToFullPart(`stepped:${p}`, 1)).toBe(p);
    expect(bytesToFullPart(`stepped:${p}`, 1_001)).toBe(4 * p);
    expect(bytesToFullPart(`stepped:${p}`, 10_001)).toBe(1);
    expect(bytesToFullPart(`listed:3:${3 * p}+stepped:${p}`, 1)).toBe(p);
    expect(bytesToFullPart(undefined)).toBe(1);
  });
});
