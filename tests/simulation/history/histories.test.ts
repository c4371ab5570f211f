import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { planOf, type Plan } from "./plan.ts";
import { play } from "./run.ts";
import { timelineOf } from "./shrink.ts";

/** Few and always the same: a test must not depend on luck. New seeds are for `npm run simulate`. */
const SEEDS = Array.from({ length: 12 }, (_, at) => at + 1);

const CORPUS = join(import.meta.dirname, "../corpus");

describe("a history that went wrong once", () => {
  it.each(readdirSync(CORPUS))("%s ends well", async (file) => {
    const plan = JSON.parse(readFileSync(join(CORPUS, file), "utf8")) as Plan;
    const played = await play(plan);
    expect(played.violations, timelineOf(plan, played).join("\n")).toEqual([]);
  });
});

describe("a simulated history", () => {
  it.each(SEEDS)("of seed %d ends with every file in its object", async (seed) => {
    const plan = planOf(seed);
    const played = await play(plan);
    expect(played.violations, timelineOf(plan, played).join("\n")).toEqual([]);
  });

  it.each([3, 11])("of seed %d is the same when it is played again, line by line", async (seed) => {
    const [one, again] = [await play(planOf(seed)), await play(planOf(seed))];
    expect(again.log).toEqual(one.log);
    expect(again.steps).toBe(one.steps);
    expect(one.log.length).toBeGreaterThan(20);
  });
});
