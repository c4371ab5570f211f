import { expect, it } from "vitest";
import { SkipReport } from "./rescan.ts";

it("what is ignored is reported once, and again when it changes", () => {
  const report = new SkipReport();
  expect(report.end()).toBeUndefined();
  const walk = (...reasons: string[]) => {
    for (const reason of reasons) report.count(reason);
    return report.end();
  };
  expect(walk("too_old", "a FIFO", "too_old", "marker")).toBe(
    "ignored: 1 (a FIFO), 2 older than SLUICE_IGNORE_OLDER_THAN",
  );
  expect(walk("too_old", "too_old", "a FIFO", "marker", "own")).toBeUndefined();
  expect(walk("too_old")).toBe("ignored: 1 older than SLUICE_IGNORE_OLDER_THAN");
  expect(walk()).toBe("no files are ignored any longer");
});
