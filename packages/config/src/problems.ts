/**
 * All problems of the configuration are reported at once, each under the name that the user used; nothing is changed
 * before.
 */
export interface ConfigProblem {
  /** As the user knows it: `SLUICE_PART_SIZE`, `--part-size`, `part_size in sluice.yaml`. */
  key: string;
  /** A whole sentence that begins with the key. */
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
