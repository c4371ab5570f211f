import { KINDS, moveTo, type Kind } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { askedAlready, confirmFor, obstacle, typedWord } from "./actions.ts";

describe("an action", () => {
  it.each([
    ["finalize", (kind: Kind) => moveTo(kind, "settled") !== undefined],
    ["abort", (kind: Kind) => moveTo(kind, "broke") !== undefined],
    ["retry", (kind: Kind) => kind === "failed"],
    ["purge", (kind: Kind) => kind === "failed"],
  ] as const)(
    "to %s is allowed where the table of moves has it, and refused in words elsewhere",
    (action, may) => {
      for (const kind of KINDS) {
        const why = obstacle(action, { kind });
        if (may(kind)) expect(why).toBeUndefined();
        else expect(why).toMatch(/\w+ \w+/);
      }
    },
  );

  it("on a superseded stream is never a retry, but may be a purge", () => {
    expect(obstacle("retry", { kind: "failed", superseded_by: "s2" })).toBe("another generation replaced it");
    expect(obstacle("purge", { kind: "failed", superseded_by: "s2" })).toBeUndefined();
  });

  it("on a record that cannot be worked with is a purge or nothing", () => {
    expect(obstacle("purge", { kind: undefined })).toBeUndefined();
    for (const action of ["retry", "finalize", "abort"] as const)
      expect(obstacle(action, { kind: undefined })).toContain("purge it");
  });

  it("X3: is confirmed by its number from 50 items on, or where open uploads would be lost", () => {
    expect(confirmFor(49, 0, "none")).toBe("none");
    expect(confirmFor(50, 0, "none")).toBe("count");
    expect(confirmFor(1, 0, "yes")).toBe("yes");
    expect(confirmFor(1, 1, "yes")).toBe("count");
  });
});

it("asks on a page for a word where it is about one item, else for the number", () => {
  expect([typedWord("purge", 1), typedWord("abort_uploads", 1), typedWord("purge", 412)]).toEqual([
    "purge",
    "abort",
    "412",
  ]);
});

it("is asked once by a click, until the owner has answered", () => {
  expect(askedAlready("abort", { requested_action: "abort" })).toBe("already requested");
  expect(askedAlready("finalize", { requested_action: "abort" })).toBeUndefined();
});
