/** Values of command line flags, under commander's camel-case names (`--part-size` → `partSize`). */
import type { Origin } from "../origin.ts";
import { FIELDS } from "../schema.ts";
import { flagName, secretFileName } from "../setting.ts";
import type { SourceReport } from "./environment.ts";

export type Flags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export interface FlagDefinition {
  /** As `commander` takes it: `--part-size <value>`. */
  flags: string;
  about: string;
}

/** A secret's flag names its file: a command line can be read by every user of the machine. */
export function flagDefinitions(): FlagDefinition[] {
  return FIELDS.map(({ meta }) =>
    meta.secret
      ? {
          flags: `--${flagName(secretFileName(meta.name))} <path>`,
          about: `The file that holds it: ${meta.about}`,
        }
      : { flags: `--${flagName(meta.name)} <value>`, about: meta.about },
  );
}

/** Flags that are not settings belong to the command itself. */
export function readFlags(flags: Flags): SourceReport {
  const report: SourceReport = { values: new Map(), problems: [], wrong: [], warnings: [] };
  for (const { key, meta } of FIELDS) {
    const name = flagName(meta.secret ? secretFileName(meta.name) : meta.name);
    const value = flags[camelCase(name)];
    if (value === undefined) continue;
    if (!meta.secret) report.values.set(key, { value, origin: { kind: "flag" } });
    else {
      const origin: Origin = { kind: "secret file", path: String(value), by: `--${name}` };
      report.values.set(key, { value: undefined, origin });
    }
  }
  return report;
}

function camelCase(flag: string): string {
  return flag.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
