/** Every scenario, in the order in which they run. */
import type { Scenario } from "../scenario.ts";
import { amnesia } from "./amnesia.ts";
import { crashPoints } from "./crash-points.ts";
import { freeze } from "./freeze.ts";
import { keptFiles } from "./kept-files.ts";
import { foreignObjects, lostCompletes } from "./lost-completes.ts";
import { randomKills } from "./random-kills.ts";
import { recorders } from "./recorders.ts";

export const SCENARIOS: readonly Scenario[] = [
  crashPoints,
  randomKills,
  amnesia,
  keptFiles,
  lostCompletes,
  foreignObjects,
  freeze,
  recorders,
];
