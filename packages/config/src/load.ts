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
import { FIELDS, type SettingKey, type Settings } from "./schema.ts";
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
  unread: false,
};

/** Throws ConfigProblems. */
export function loadConfig(inputs: ConfigInputs): LoadedConfig {
  const { problems, wrong: _, ...loaded } = readConfig(inputs);
  if (problems.length > 0) throw new ConfigProblems(problems);
  return loaded;
}

/** A configuration that may be wrong in places: wrong settings have their default. */
export interface ReadConfig extends LoadedConfig {
  problems: readonly ConfigProblem[];
  /** Settings that some of the problems are about, and those that a file which cannot be read may hold. */
  wrong: ReadonlySet<SettingKey>;
}

/** For those who only show: what is right is shown beside what is not. */
export function readConfig(inputs: ConfigInputs): ReadConfig {
  const filePath = resolve(inputs.cwd, inputs.env[CONFIG_VARIABLE] || DEFAULT_FILE);
  const file = readFile(inputs, filePath);
  const environment = readEnvironment(inputs.env);
  const flags = readFlags(inputs.flags ?? {});
  const values = merged(file, environment, flags);
  const secrets = readSecrets(values, inputs.readFile);
  const { settings, sources, problems, wrong } = parseSettings(values);
  const reported = new Set([...wrong, ...environment.wrong, ...secrets.wrong]);
  // Each of them may be in the file.
  const unknown = file.unread ? FIELDS.map(({ key }) => key).filter((key) => !values.has(key)) : [];
  const source = settings.source ?? inputs.hostname;
  const { cwd, roles } = inputs;
  const found = resolveWatches({ settings, sources, fromFile: file.watches, filePath, cwd, source });
  const all: ConfigProblem[] = [
    ...file.problems,
    ...environment.problems,
    ...secrets.problems,
    ...problems,
    ...found.problems,
  ];
  const checked = crossChecks({
    settings,
    sources,
    wrong: reported,
    watches: found.watches,
    roles,
    container: inputs.container(),
  });
  const warnings = [
    ...file.warnings,
    ...environment.warnings,
    ...found.warnings,
    ...cautions({ settings, roles }),
  ];
  return {
    config: settled(settings, found.watches, source, inputs.hostname),
    sources,
    warnings,
    problems: [...all, ...checked.map(({ problem }) => problem)],
    wrong: new Set([...reported, ...unknown, ...checked.map(({ setting }) => setting)]),
  };
}

/** Only the file of a secret that nothing stronger gives is read. A secret that cannot be read is left out of `values`. */
function readSecrets(
  values: FileReport["values"],
  readFile: ConfigInputs["readFile"],
): Pick<FileReport, "problems" | "wrong"> {
  const report: Pick<FileReport, "problems" | "wrong"> = { problems: [], wrong: [] };
  for (const [key, { origin }] of values) {
    if (origin.kind !== "secret file") continue;
    const { path, by } = origin;
    const refuse = (why: string): void => {
      report.problems.push({ key: by, text: `${by} names ${path}, which ${why}` });
      report.wrong.push(key);
      values.delete(key);
    };
    try {
      const value = readFile(path).replace(/\r?\n$/, "");
      if (value === "") refuse("is empty");
      else values.set(key, { value, origin });
    } catch (error) {
      refuse(`cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return report;
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
    return {
      ...EMPTY_FILE,
      unread: true,
      problems: [{ key: CONFIG_VARIABLE, text: `${path} cannot be read: ${why}` }],
    };
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
