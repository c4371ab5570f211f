import { expect, it } from "vitest";
import { quietLine } from "./quiet-line.ts";

it("a worker's routine stays in the log file", () => {
  expect(quietLine("worker", '{"level":30,"msg":"part acknowledged"}')).toBeUndefined();
  expect(quietLine("worker", '{"level":"info","msg":"part acknowledged"}')).toBeUndefined();
  expect(quietLine("web", "✓ Ready in 120ms")).toBeUndefined();
});

it("warnings and errors reach the terminal with their cause", () => {
  expect(quietLine("worker", '{"level":40,"msg":"store is slow"}')).toBe("store is slow");
  expect(quietLine("worker", '{"level":50,"msg":"upload","err":{"message":"ECONNRESET"}}')).toBe(
    "upload: ECONNRESET",
  );
  expect(quietLine("worker", '{"level":"error","msg":"refused"}')).toBe("refused");
  expect(quietLine("web", "Error: listen EADDRINUSE")).toBe("Error: listen EADDRINUSE");
});

it("a warning names what it is about, and no file name speaks to the terminal", () => {
  const line = {
    level: 40,
    time: "now",
    worker: "w",
    path: "/in/a\u001b[2J",
    reason: "file_missing",
    msg: "failed",
  };
  expect(quietLine("worker", JSON.stringify(line))).toBe(
    "failed  path=/in/a\u{FFFD}[2J  reason=file_missing",
  );
});

it("a line that only looks like JSON is shown rather than lost", () => {
  expect(quietLine("worker", '{"level":50,"msg":"cut o')).toBe('{"level":50,"msg":"cut o');
});

it("Redis is heard when it is in trouble, not when it starts, stops or gives advice", () => {
  const line = (mark: string, text: string) => `12:M 24 Nov 2026 02:06:39.575 ${mark} ${text}`;
  expect(quietLine("redis", line("*", "Ready to accept connections"))).toBeUndefined();
  expect(quietLine("redis", line("#", "Server initialized"))).toBeUndefined();
  expect(
    quietLine("redis", line("#", "WARNING Memory overcommit must be enabled! 'vm.overcommit_memory = 1'")),
  ).toBeUndefined();
  expect(quietLine("redis", line("#", "Error writing to the AOF file: No space left on device"))).toContain(
    "No space",
  );
});
