/** Every scenario, in the order in which they run. */
import type { Scenario } from "../scenario.ts";
import { crashPoints } from "./crash-points.ts";

export const SCENARIOS: readonly Scenario[] = [crashPoints];
