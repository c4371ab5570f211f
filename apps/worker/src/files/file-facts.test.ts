import { lstatSync, type BigIntStats } from "node:fs";
import { describe, expect, it } from "vitest";
import { birthTimesAreKept, factsOf } from "./file-facts.ts";

const here = lstatSync(import.meta.filename, { bigint: true });

function stats(over: Partial<Record<keyof BigIntStats, bigint>>): BigIntStats {
  return Object.assign(Object.create(here) as BigIntStats, over);
}

describe("the birth time", () => {
  it("is unknown when the file system gives 0", () => {
    expect(factsOf(stats({ birthtimeNs: 0n }), true)).not.toHaveProperty("birthtimeNs");
  });

  it("is unknown when this process only ever sees invented ones", () => {
    expect(factsOf(stats({ birthtimeNs: 5n, ctimeNs: 5n }), false)).not.toHaveProperty("birthtimeNs");
  });

  it("is believed although it equals the ctime: a file written once has that", () => {
    expect(factsOf(stats({ birthtimeNs: 5n, ctimeNs: 5n }), true).birthtimeNs).toBe("5");
  });

  it("is real here: procfs, which keeps none, shows none", () => {
    expect(birthTimesAreKept()).toBe(true);
  });
});

describe("D1b: the birth time of a file on a file system that numbers its files anew", () => {
  it("is not told, so that nobody takes the number for a proof", () => {
    expect(factsOf(stats({ birthtimeNs: 5n }), true, { lastOn: () => false })).not.toHaveProperty(
      "birthtimeNs",
    );
  });
});
