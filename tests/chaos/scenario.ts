/** A scenario is a list of rounds; a round is one world, from its start to the auditor's verdict. */
import type { Rig, StoreName } from "./rig/rig.ts";

export interface RunOptions {
  seed: number;
  store: StoreName;
  /** Kills of the random run. */
  kills: number;
  /** The full counts of the reliability table instead of the selection for every change. */
  long: boolean;
}

/** Numbers by what they count; `bytes` and `ms` are told by their names. */
export type Figures = Readonly<Record<string, number>>;

export interface Verdict {
  /** Empty: every promise held. */
  problems: readonly string[];
  figures: Figures;
}

export interface Round {
  /** Unique within its scenario. */
  name: string;
  run(rig: Rig): Promise<Verdict>;
}

export interface Scenario {
  name: string;
  /** What it proves, in a sentence. */
  claim: string;
  /** What a round mostly does: `waits` for a clock, such as a lease's, or `works`. Each kind has its own queue. */
  pace: "waits" | "works";
  /** It needs an endpoint that can be told to misbehave or to refuse a taken key, which a real store cannot. */
  localOnly?: boolean;
  rounds(options: RunOptions): readonly Round[];
}
