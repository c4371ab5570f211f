/** What a run writes to bench/results/: every figure of every round, and what is needed to judge them. */
import type { Plan, Results } from "../measure.ts";

export interface RawResults extends Results {
  at_utc: string;
  machine: { cpu: string; cores: number; memory_gib: number; kernel: string; node: string };
  plan: Omit<Plan, "peers">;
  peers: { name: string; version: string; settings: string }[];
}
