/**
 * A setting is a field of the zod schema. Its name, description and default are kept in a registry, and its flag,
 * environment variable and YAML key are derived from the name.
 */
import { z } from "zod";
import type { ValueType } from "./values/value-type.ts";

/** Sections of the reference page, in order. */
export const GROUPS = [
  "Redis",
  "What is watched",
  "When a file is complete, and what happens then",
  "S3",
  "Parts",
  "The worker",
  "Health, metrics and logs",
  "Webhooks",
  "The dashboard",
  "Set by npm start",
] as const;
export type Group = (typeof GROUPS)[number];

export interface SettingMeta {
  /** As in `SLUICE_<name>`. */
  name: string;
  group: Group;
  /** The description for users. */
  about: string;
  allowed: string;
  /** As the user would write it; undefined if there is no default, or if it is computed. */
  initial: string | undefined;
  /** A description of the default if it depends on something else. */
  computed: string | undefined;
  /** Never shown; may come from a file named by `SLUICE_<name>_FILE`, `<name>_file` or `--<name>-file`. */
  secret: boolean;
  /** An empty text is a value of its own and does not mean "not set". */
  emptyIsValue: boolean;
  format(value: unknown): string;
}

export const settingRegistry = z.registry<SettingMeta>();

interface Description<T> {
  name: string;
  group: Group;
  type: ValueType<T>;
  about: string;
  computed?: string;
  secret?: boolean;
  emptyIsValue?: boolean;
}

/** With `initial`, there is always a value; without, it may be undefined. */
export function setting<T>(description: Description<T> & { initial: string }): z.ZodType<T>;
export function setting<T>(description: Description<T>): z.ZodType<T | undefined>;
export function setting<T>(description: Description<T> & { initial?: string }): z.ZodType<T | undefined> {
  const { type, initial, ...rest } = description;
  const schema: z.ZodType<T | undefined> =
    initial === undefined ? type.schema.optional() : z.prefault(type.schema, initial);
  return schema.register(settingRegistry, {
    ...rest,
    allowed: type.allowed,
    initial,
    computed: description.computed,
    secret: description.secret ?? false,
    emptyIsValue: description.emptyIsValue ?? false,
    // The registry holds settings of all types; each only gets values that its own schema returned.
    format: type.format as (value: unknown) => string,
  });
}

export function metaOf(schema: z.ZodType): SettingMeta {
  const meta = settingRegistry.get(schema);
  if (!meta) throw new Error("a field of the schema is not a setting");
  return meta;
}

export function environmentName(name: string): string {
  return `SLUICE_${name}`;
}

export function yamlKey(name: string): string {
  return name.toLowerCase();
}

/** Of a secret: what names the file that holds it, in the same spellings. */
export function secretFileName(name: string): string {
  return `${name}_FILE`;
}

/** Without the leading dashes. */
export function flagName(name: string): string {
  return yamlKey(name).replaceAll("_", "-");
}
