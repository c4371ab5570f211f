/** `config print`: every setting with its value and where it came from. Secrets never appear. */
import type { Config } from "./config.ts";
import { effectiveOrigin, valueOf, valueText } from "./effective.ts";
import { originText, type Origin } from "./origin.ts";
import { redacted } from "./redact.ts";
import { FIELDS, RULE_FIELDS, type SettingField, type SettingKey } from "./schema.ts";
import { environmentName, yamlKey } from "./setting.ts";
import type { WatchConfig } from "./watches/watch-config.ts";

interface Printed {
  config: Config;
  sources: Readonly<Record<SettingKey, Origin>>;
  /** Settings whose value is not the one that was given. */
  wrong?: ReadonlySet<SettingKey>;
}

/** The settings with their origins, as text or as one JSON document; secrets are redacted in both. */
export function printConfig(printed: Printed, options: { json: boolean }): string {
  return options.json ? asJson(printed) : asText(printed);
}

const NONE: ReadonlySet<SettingKey> = new Set();

function asText({ config, sources, wrong = NONE }: Printed): string {
  const rows = FIELDS.filter(({ key }) => key !== "watch").map((field) => {
    if (wrong.has(field.key)) {
      const given = !["default", "computed"].includes(sources[field.key].kind);
      const origin = given ? `(${originText(sources[field.key])})` : "";
      return [environmentName(field.meta.name), given ? "(wrong)" : "(not known)", origin];
    }
    const value = valueText(field, valueOf(config, field.key), secret);
    return [
      environmentName(field.meta.name),
      value ?? "(not set)",
      `(${effectiveOrigin(field, sources[field.key], value)})`,
    ];
  });
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [...lines, ...config.watches.flatMap((watch) => ["", ...watchLines(watch)])].join("\n");
}

function watchLines(watch: WatchConfig): string[] {
  const rules = RULE_FIELDS.map((field) => [
    yamlKey(field.meta.name),
    valueText(field, watch[field.key], secret) ?? "(not set)",
  ]);
  const rows = [["path", watch.root], ["key_prefix", JSON.stringify(watch.keyPrefix)], ...rules];
  return [`watch ${watch.name}`, ...rows.map(([name = "", value = ""]) => `  ${name.padEnd(20)}  ${value}`)];
}

function asJson({ config, sources, wrong = NONE }: Printed): string {
  const settings = FIELDS.filter(({ key }) => key !== "watch").map((field) => {
    const source = originText(sources[field.key]);
    const name = yamlKey(field.meta.name);
    if (wrong.has(field.key)) return [name, { value: null, source, wrong: true }];
    return [name, { value: safe(field, valueOf(config, field.key)), source }];
  });
  const watches = config.watches.map((watch) => ({
    name: watch.name,
    path: watch.root,
    key_prefix: watch.keyPrefix,
    ...Object.fromEntries(
      RULE_FIELDS.map((field) => [yamlKey(field.meta.name), safe(field, watch[field.key])]),
    ),
  }));
  return JSON.stringify({ settings: Object.fromEntries(settings), watches }, undefined, 2);
}

function safe({ meta }: SettingField, value: unknown): unknown {
  if (value === undefined) return null;
  return meta.secret ? secret(value) : value;
}

function secret(value: unknown): string {
  return typeof value === "string" && value.includes("://") ? redacted(value) : "***";
}
