/**
 * Parses raw values into settings, each with its own field of the schema. A wrong value is reported, and the others are
 * still read.
 */
import type { z } from "zod";
import { nameAt, type Origin, type RawValue } from "./origin.ts";
import type { ConfigProblem } from "./problems.ts";
import { shown } from "./redact.ts";
import { FIELDS, type SettingField, type SettingKey, type Settings } from "./schema.ts";

export interface ParsedSettings {
  /** Wrong values are replaced by their defaults here, so that later checks find other problems. */
  settings: Settings;
  sources: Record<SettingKey, Origin>;
  problems: ConfigProblem[];
  wrong: SettingKey[];
}

export function parseSettings(values: ReadonlyMap<SettingKey, RawValue>): ParsedSettings {
  const problems: ConfigProblem[] = [];
  const wrong: SettingKey[] = [];
  const settings: Record<string, unknown> = {};
  const sources: Record<string, Origin> = {};
  for (const field of FIELDS) {
    const raw = values.get(field.key);
    sources[field.key] = raw?.origin ?? { kind: field.meta.computed === undefined ? "default" : "computed" };
    const parsed = parseField(field, raw);
    if ("problem" in parsed) {
      problems.push(parsed.problem);
      wrong.push(field.key);
    }
    settings[field.key] = parsed.value;
  }
  // Built from the schema's own keys and the values its fields returned.
  return { settings: settings as Settings, sources: sources as Record<SettingKey, Origin>, problems, wrong };
}

/** If there is a problem, `value` is the default. */
export function parseField(
  field: Pick<SettingField, "schema" | "meta">,
  raw: RawValue | undefined,
): { value: unknown } | { value: unknown; problem: ConfigProblem } {
  const parsed = field.schema.safeParse(raw?.value);
  if (parsed.success) return { value: parsed.data };
  const key = nameAt(raw?.origin ?? { kind: "default" }, field.meta.name);
  const said = shown(raw?.value, field.meta.secret);
  const problem = { key, text: `${key} is ${said}: allowed is ${firstMessage(parsed.error)}` };
  return { value: field.schema.parse(undefined), problem };
}

function firstMessage(error: z.ZodError): string {
  return error.issues[0]?.message ?? "something else";
}
