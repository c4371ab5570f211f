/** Every scenario. Rounds begin in this order, the longest first, so that none is left alone at the end. */
import type { Scenario } from "../scenario.ts";
import { amnesia } from "./amnesia.ts";
import { crashPoints } from "./crash-points.ts";
import { freeze } from "./freeze.ts";
import { hostsLost } from "./hosts-lost.ts";
import { keptFiles } from "./kept-files.ts";
import { foreignObjects, lostCompletes } from "./lost-completes.ts";
import { randomKills } from "./random-kills.ts";
import { recorders } from "./recorders.ts";

export const SCENARIOS: readonly Scenario[] = [
  randomKills,
  amnesia,
  hostsLost,
  keptFiles,
  recorders,
  crashPoints,
  lostCompletes,
  foreignObjects,
  freeze,
];
