import { FAILURE_REASONS } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { failureWords } from "./words.ts";

describe("the words about a failed stream", () => {
  it.each(FAILURE_REASONS)("of the reason %s are its own", (reason) => {
    const { cause, remedy } = failureWords(reason);
    expect(cause).not.toContain(reason);
    expect(remedy).not.toContain("Another version");
  });

  it("of a reason that another version wrote name it, and never recommend a purge", () => {
    expect(failureWords("quota_\u202Eexceeded")).toEqual({
      cause: 'This version does not know the reason "quota_U+202Eexceeded".',
      remedy:
        "Another version of Sluice wrote it, usually a newer one: update this program, or retry. A retry keeps what is in S3.",
    });
  });

  it.each([undefined, ""])("where no reason is given (%o) warn before a purge", (reason) => {
    const { cause, remedy } = failureWords(reason);
    expect(cause).toBe("Its record has no failure reason.");
    expect(remedy).toContain("a purge may abort an open upload");
  });
});
