/**
 * Reads the whole configuration once; flags take precedence over environment, secret files, `sluice.yaml` and defaults,
 * in this order. Throws every problem at once.
 */
import { resolve } from "node:path";
import { cautions, crossChecks, firstPartBytes } from "./checks.ts";
import type { Config, Role } from "./config.ts";
import type { Origin } from "./origin.ts";
import { parseSettings } from "./parse-settings.ts";
import { ConfigProblems, type ConfigProblem } from "./problems.ts";
import type { SettingKey, Settings } from "./schema.ts";
import { CONFIG_VARIABLE, readEnvironment, type Environment } from "./sources/environment.ts";
import { readFlags, type Flags } from "./sources/flags.ts";
import { readYaml, type FileReport } from "./sources/yaml-file.ts";
import { resolveWatches } from "./watches/resolve.ts";
import type { WatchConfig } from "./watches/watch-config.ts";

export interface ConfigInputs {
  env: Environment;
  cwd: string;
  hostname: string;
  /** The text of a file; throws the system's error. */
  readFile(path: string): string;
  /** What shows that this is a container; undefined outside of one. */
  container(): string | undefined;
  /** The programs whose required settings are checked. */
  roles: readonly Role[];
  flags?: Flags;
}

export interface LoadedConfig {
  config: Config;
  /** The origin of each value. */
  sources: Readonly<Record<SettingKey, Origin>>;
  /** Sentences for the log about ignored values. */
  warnings: readonly string[];
}

const DEFAULT_FILE = "sluice.yaml";
const EMPTY_FILE: FileReport = {
  values: new Map(),
  problems: [],
  wrong: [],
  warnings: [],
  watches: undefined,
};

/** Throws ConfigProblems. */
export function loadConfig(inputs: ConfigInputs): LoadedConfig {
  const filePath = resolve(inputs.cwd, inputs.env[CONFIG_VARIABLE] || DEFAULT_FILE);
  const file = readFile(inputs, filePath);
  const environment = readEnvironment(inputs.env, inputs.readFile);
  const flags = readFlags(inputs.flags ?? {});
  const { settings, sources, problems, wrong } = parseSettings(merged(file, environment, flags));
  const source = settings.source ?? inputs.hostname;
  const { cwd, roles } = inputs;
  const found = resolveWatches({ settings, sources, fromFile: file.watches, filePath, cwd, source });
  const all: ConfigProblem[] = [
    ...file.problems,
    ...environment.problems,
    ...problems,
    ...found.problems,
    ...crossChecks({
      settings,
      sources,
      wrong: new Set([...wrong, ...environment.wrong]),
      watches: found.watches,
      roles,
      container: inputs.container(),
    }),
  ];
  if (all.length > 0) throw new ConfigProblems(all);
  const warnings = [
    ...file.warnings,
    ...environment.warnings,
    ...found.warnings,
    ...cautions({ settings, roles }),
  ];
  return { config: settled(settings, found.watches, source, inputs.hostname), sources, warnings };
}

/** A missing file counts as empty, unless the user named it. */
function readFile({ env, readFile: read }: ConfigInputs, path: string): FileReport {
  let text: string;
  try {
    text = read(path);
  } catch (error) {
    if (!env[CONFIG_VARIABLE] && error instanceof Error && "code" in error && error.code === "ENOENT")
      return EMPTY_FILE;
    const why = error instanceof Error ? error.message : String(error);
    return { ...EMPTY_FILE, problems: [{ key: CONFIG_VARIABLE, text: `${path} cannot be read: ${why}` }] };
  }
  return readYaml(text, path);
}

/** Later values take precedence. */
function merged(...reports: readonly Pick<FileReport, "values">[]): FileReport["values"] {
  return new Map(reports.flatMap(({ values }) => [...values]));
}

function settled(settings: Settings, watches: WatchConfig[], source: string, hostname: string): Config {
  const { watch: _, idleMaxMs: __, ...rest } = settings;
  const { uploadConcurrency, httpPort } = settings;
  const memoryBudgetBytes = settings.memoryBudgetBytes ?? uploadConcurrency * firstPartBytes(settings);
  return {
    ...rest,
    watches,
    source,
    workerId: settings.workerId ?? `${hostname}-${httpPort}`,
    s3Bucket: settings.s3Bucket ?? "",
    s3ForcePathStyle: settings.s3ForcePathStyle ?? settings.s3Endpoint !== undefined,
    memoryBudgetBytes,
    partBufferBytes: Math.floor(memoryBudgetBytes / uploadConcurrency),
  };
}
