import { expect, test } from "vitest";
import { failpointFrom } from "./failpoint.ts";

test("without the variable there is no failpoint", () => {
  expect(failpointFrom(undefined)).toBeUndefined();
  expect(failpointFrom("")).toBeUndefined();
});

test("the nth passing of the named gap fails, and no other", async () => {
  const reach = failpointFrom("part_recorded:throw@2");
  await reach?.("part_sending");
  await reach?.("part_recorded");
  expect(() => reach?.("part_recorded")).toThrow("failpoint part_recorded");
  await reach?.("part_recorded");
});

test.each(["nonsense", "part_recorded:explode@1", "no_such_gap:kill@1"])(
  "%s is refused, with the names there are",
  (text) => {
    expect(() => failpointFrom(text)).toThrow(/expected <name>.*part_recorded/);
  },
);
