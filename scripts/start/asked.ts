/** What the user asked for, in the environment or else in `sluice.yaml`: it decides which parts are embedded and where the rest listens. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { FIELDS } from "@sluice/config/schema";
import { environmentName } from "@sluice/config/setting";
import { CONFIG_VARIABLE } from "@sluice/config/sources/environment";
import { readYaml } from "@sluice/config/sources/yaml-file";

const DEFAULT_FILE = "sluice.yaml";

/**
 * The environment, completed by the file's plain values under their environment names. What is wrong with
 * the file is left to the worker to say, who reads it in full.
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
    return ""; // Not there, or not readable, which the worker says.
  }
}
