/** Where a value came from, and the name that the user gave it there. */
import { environmentName, flagName, yamlKey } from "./setting.ts";

export type Origin =
  | { kind: "flag" }
  | { kind: "environment" }
  /** `by`: the setting that named it, as it was spelled there. */
  | { kind: "secret file"; path: string; by: string }
  | { kind: "file"; path: string }
  | { kind: "default" }
  /** Computed from other settings or the machine. */
  | { kind: "computed" };

export interface RawValue {
  /** Of a secret file: undefined until it is read, which it is only when nothing stronger is given. */
  value: unknown;
  origin: Origin;
}

export function nameAt(origin: Origin, name: string): string {
  switch (origin.kind) {
    case "flag":
      return `--${flagName(name)}`;
    case "secret file":
      return `${origin.by} (${origin.path})`;
    case "file":
      return `${yamlKey(name)} in ${origin.path}`;
    case "environment":
    case "default":
    case "computed":
      return environmentName(name);
  }
}

/** Where a setting's value came from: the kind of source, with the path of a file. */
export function originText(origin: Origin): string {
  return "path" in origin ? `${origin.kind} ${origin.path}` : origin.kind;
}
