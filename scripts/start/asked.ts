/**
 * The user's settings from the environment or else from `sluice.yaml`: they decide which services are embedded and
 * where the rest listens.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { FIELDS } from "@sluice/config/schema";
import { environmentName } from "@sluice/config/setting";
import { CONFIG_VARIABLE } from "@sluice/config/sources/environment";
import { readYaml } from "@sluice/config/sources/yaml-file";

const DEFAULT_FILE = "sluice.yaml";

/**
 * The environment, completed by the file's plain values under their environment names. Problems in the file are
 * reported by the worker, which reads it in full.
 */
export function askedFor(env: NodeJS.ProcessEnv, root: string): NodeJS.ProcessEnv {
  const path = resolve(root, env[CONFIG_VARIABLE] || DEFAULT_FILE);
  const { values, watches } = readYaml(textOf(path), path);
  const fromFile: NodeJS.ProcessEnv = {};
  for (const { key, meta } of FIELDS) {
    const { value, origin } = values.get(key) ?? {};
    if (origin?.kind === "secret file") fromFile[`${environmentName(meta.name)}_FILE`] = origin.path;
    if (["string", "number", "boolean"].includes(typeof value))
      fromFile[environmentName(meta.name)] = String(value);
  }
  if (watches !== undefined) fromFile["SLUICE_WATCH"] = `the watches in ${path}`;
  return { ...fromFile, ...env };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // Missing or unreadable, which the worker reports.
  }
}
