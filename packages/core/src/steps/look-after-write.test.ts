import { expect, it } from "vitest";
import { LIMITS } from "../limits.ts";
import { lookAfterWriteMs } from "./look-after-write.ts";

const MIB = 1024 * 1024;
const most = LIMITS.lookWhileGrowingMs;
const far = LIMITS.lookFarFromFullMs;

it.each([
  ["the first write after a pause", undefined, 8 * MIB, 30_000, 0],
  ["a slow file, its part far from full", 40, 8 * MIB, 30_000, far],
  ["a slow file, its part nearly full", 40, MIB, 30_000, most],
  ["a fast one, when its part may be full", 8192, 4 * MIB, 30_000, 512],
  ["a part that is all but full", 8192, 0, 30_000, 0],
  ["bytes written in place", 0, 8 * MIB, 30_000, far],
  ["a file that became shorter", -500, 8 * MIB, 30_000, far],
  ["no part left that could become full", 8192, Infinity, 30_000, far],
  ["a short idle time", 40, 8 * MIB, 1_000, 100],
])("%s", (_, bytesPerMs, bytesToFullPart, idleTimeoutMs, expected) => {
  expect(lookAfterWriteMs({ bytesPerMs, bytesToFullPart, idleTimeoutMs })).toBe(expected);
});
