import { describe, expect, it } from "vitest";
import { FAILURE_REASONS, FAILURES, isFailureReason, reasonRecovers, retryBegins } from "./failures.ts";

describe("a reason", () => {
  it.each(FAILURE_REASONS)("%s has a cause and a remedy as sentences", (reason) => {
    expect(FAILURES[reason].cause).toMatch(/^[A-Z].*\.$/);
    expect(FAILURES[reason].remedy).toMatch(/^[A-Z].*\.$/);
  });

  it("heals by itself when its file is back or can be read again", () => {
    const recovering = FAILURE_REASONS.filter((reason) => reasonRecovers(reason));
    expect(recovering.toSorted()).toEqual(["file_missing", "file_missing_on_resume", "unreadable_file"]);
  });

  it("lets a retry resume at the checkpoint, unless the parts in S3 are of no use", () => {
    const restarting = FAILURE_REASONS.filter((reason) => retryBegins(reason) !== "at_checkpoint");
    expect(restarting.map((reason) => [reason, retryBegins(reason)])).toEqual([
      ["object_conflict", "under_the_next_name"],
      ["part_limit", "at_byte_0"],
    ]);
  });

  it.each(["", "toString", "a_reason_of_next_year", undefined])("%s is none that is known here", (reason) => {
    expect(isFailureReason(reason)).toBe(false);
    expect(reasonRecovers(reason)).toBe(false);
    expect(retryBegins(reason)).toBe("at_checkpoint");
  });
});
