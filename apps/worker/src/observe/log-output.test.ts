import { describe, expect, it } from "vitest";
import { lineOutput } from "./log-output.ts";

const FULL = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
const BUSY = Object.assign(new Error("try again"), { code: "EAGAIN" });

/** An output that does this with each write, and then takes everything. */
function output(...does: (Error | number)[]) {
  const written: Uint8Array[] = [];
  let pausedMs = 0;
  const recovered: number[] = [];
  const lines = lineOutput(
    {
      write(bytes) {
        const next = does.shift() ?? bytes.length;
        if (typeof next !== "number") throw next;
        written.push(bytes.slice(0, next));
        return next;
      },
      pause: (ms) => void (pausedMs += ms),
    },
    (count) => recovered.push(count),
  );
  return {
    lines,
    recovered,
    written: () => Buffer.concat(written).toString("utf8"),
    pausedMs: () => pausedMs,
  };
}

describe("the output of the log", () => {
  it("takes a line in as many pieces as the kernel wants, with characters of several bytes", () => {
    const { lines, written, recovered } = output(1, 2, 1);
    lines.write("über\n");
    expect([written(), recovered]).toEqual(["über\n", []]);
  });

  it("drops a line that a full disk does not take, at once, and says how many it were when the disk takes one", () => {
    const { lines, written, recovered, pausedMs } = output(FULL, FULL);
    for (const line of ["a\n", "b\n", "c\n", "d\n"]) lines.write(line);
    expect([written(), recovered, pausedMs()]).toEqual(["c\nd\n", [2], 0]);
  });

  it("begins a new line after one that was cut off, also when the next one is refused too", () => {
    const { lines, written } = output(2, FULL, FULL);
    for (const line of ["abc\n", "def\n", "ghi\n"]) lines.write(line);
    expect(written()).toBe("ab\nghi\n");
  });

  it("waits for a slow reader", () => {
    const { lines, written, pausedMs } = output(BUSY, BUSY);
    lines.write("a\n");
    expect([written(), pausedMs()]).toEqual(["a\n", 20]);
  });

  it("waits a second for a reader that reads nothing, and then for no line until one is taken", () => {
    const never = Array.from({ length: 200 }, () => BUSY);
    const { lines, written, recovered, pausedMs } = output(...never);
    lines.write("a\n");
    expect(pausedMs()).toBe(1_000);
    lines.write("b\n");
    expect([written(), pausedMs()]).toEqual(["", 1_000]);
    for (let line = 0; line < 98; line += 1) lines.write("c\n");
    expect([written(), recovered, pausedMs()]).toEqual(["", [], 1_000]);
    lines.write("d\n");
    expect([written(), recovered]).toEqual(["d\n", [100]]);
  });
});
