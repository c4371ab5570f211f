import { readFileSync, globSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withoutMachinePaths } from "./raw-log.ts";

const LOGS = join(import.meta.dirname, "logs");

describe("the raw log", () => {
  it("tells a round's paths from its own directory, and sources from the checkout", () => {
    const told = withoutMachinePaths(
      `{"path":"${tmpdir()}/sluice-chaos-AbC123/watch/take.mxf"} at until (${import.meta.url}:24:45)`,
    );
    expect(told).toBe('{"path":"<chaos>/watch/take.mxf"} at until (tests/chaos/raw-log.test.ts:24:45)');
  });

  it.each(globSync("*.ndjson", { cwd: LOGS }))("holds no path of the machine that wrote it: %s", (file) => {
    const absolute = /(?:^|[\s"'(=:/])(\/(?:tmp|home|root|work|var|usr)\/[^\s"')]*)/m;
    expect(absolute.exec(readFileSync(join(LOGS, file), "utf8"))?.[1]).toBeUndefined();
  });
});
