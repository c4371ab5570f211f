/** A scenario is a list of rounds; a round is one world, from its start to the auditor's verdict. */

export interface RunOptions {
  seed: number;
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
  run(): Promise<Verdict>;
}

export interface Scenario {
  name: string;
  /** What it proves, in a sentence. */
  claim: string;
  /** Rounds at once: many of them mostly wait. */
  atOnce: number;
  rounds(options: RunOptions): readonly Round[];
}
