/** Bad configuration is told all at once, each problem by the name its value was given under; nothing is touched before. */
export interface ConfigProblem {
  /** As the person knows it: `SLUICE_PART_SIZE`, `--part-size`, `part_size in sluice.yaml`. */
  key: string;
  /** Begins with the key: a whole sentence. */
  text: string;
}

/** sysexits.h: EX_CONFIG. */
export const EXIT_BAD_CONFIG = 78;

export class ConfigProblems extends Error {
  override readonly name = "ConfigProblems";
  readonly problems: readonly ConfigProblem[];
  readonly exitCode = EXIT_BAD_CONFIG;

  constructor(problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
    super([`The configuration has ${count}:`, ...problems.map(({ text }) => `- ${text}`)].join("\n"));
    this.problems = problems;
  }
}
