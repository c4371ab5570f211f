/** Values of command line flags, under commander's camel-case names (`--part-size` → `partSize`). */
import { FIELDS } from "../schema.ts";
import { flagName } from "../setting.ts";
import type { SourceReport } from "./environment.ts";

export type Flags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export interface FlagDefinition {
  /** As `commander` takes it: `--part-size <value>`. */
  flags: string;
  about: string;
}

/** Secrets have no flag: every user of the machine can read a command line. */
export function flagDefinitions(): FlagDefinition[] {
  return FIELDS.filter(({ meta }) => !meta.secret).map(({ meta }) => ({
    flags: `--${flagName(meta.name)} <value>`,
    about: meta.about,
  }));
}

/** Flags that are not settings belong to the command itself. */
export function readFlags(flags: Flags): SourceReport {
  const report: SourceReport = { values: new Map(), problems: [], wrong: [], warnings: [] };
  for (const { key, meta } of FIELDS) {
    const value = flags[camelCase(flagName(meta.name))];
    if (value !== undefined && !meta.secret) report.values.set(key, { value, origin: { kind: "flag" } });
  }
  return report;
}

function camelCase(flag: string): string {
  return flag.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
