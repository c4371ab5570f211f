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

  it.each([
    ["of a stream whose file is gone", { kind: "failed", source_state: "missing" }, undefined],
    ["of a stream whose file is replaced", { kind: "failed", source_state: "replaced" }, undefined],
    ["of a stream whose file nobody can see", { kind: "failed", source_state: "unknown" }, undefined],
    [
      "of a stream whose file is there",
      { kind: "failed", source_state: "present" },
      "its file is there: retry it",
    ],
    ["of a stream that lives", { kind: "processing" }, "its worker is alive: nothing is lost"],
    ["of a completed one", { kind: "completed" }, "it is complete already"],
  ] as const)("to salvage what S3 holds %s", (_, row, why) => {
    const held = { s3_upload_id: "u", ...row };
    expect(obstacle("salvage", held)).toBe(why);
    expect(obstacle("salvage", { ...held, s3_upload_id: "" })).toBeDefined();
    // Of a host that is gone nothing that a record says of a file holds.
    if (row.kind !== "completed") expect(obstacle("salvage", held, { sourceAlive: false })).toBeUndefined();
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
