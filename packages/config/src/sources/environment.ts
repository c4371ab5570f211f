/**
 * Reads `SLUICE_*` variables. A name nobody knows is a problem when it is nearly one we
 * know, and a warning otherwise; what Kubernetes injects for a Service called sluice is named as that.
 */
import type { ConfigProblem } from "../problems.ts";
import type { RawValue } from "../origin.ts";
import { FIELDS, type SettingKey } from "../schema.ts";
import { environmentName, secretFileName } from "../setting.ts";
import { nearest } from "../suggest.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface SourceReport {
  values: Map<SettingKey, RawValue>;
  problems: ConfigProblem[];
  /** Settings that the problems are about. */
  wrong: SettingKey[];
  warnings: string[];
}

/** Read elsewhere: the path of the file itself. */
export const CONFIG_VARIABLE = "SLUICE_CONFIG";

const PREFIX = "SLUICE_";
const FILE_SUFFIX = "_FILE";
const SERVICE_LINK_VALUE = /^(?:tcp|udp|sctp):\/\//;
const SERVICE_LINK_NAME =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$|^SLUICE_PORT$/;

export function readEnvironment(env: Environment): SourceReport {
  const report: SourceReport = { values: new Map(), problems: [], wrong: [], warnings: [] };
  const known = new Set([CONFIG_VARIABLE]);
  for (const { key, meta } of FIELDS) {
    const name = environmentName(meta.name);
    known.add(name);
    const value = given(env[name], meta.emptyIsValue);
    if (value !== undefined) {
      const link = SERVICE_LINK_VALUE.test(value) && serviceLinkProblem(name, value);
      if (link) refuse(report, key, link);
      else report.values.set(key, { value, origin: { kind: "environment" } });
    }
    if (meta.secret) {
      const by = environmentName(secretFileName(meta.name));
      known.add(by);
      const path = given(env[by], false);
      if (path !== undefined && value === undefined)
        report.values.set(key, { value: undefined, origin: { kind: "secret file", path, by } });
    }
  }
  reportUnknown(env, known, report);
  return report;
}

/** An empty variable counts as not set, because compose files with `NAME: ${NAME:-}` produce it. */
function given(value: string | undefined, emptyIsValue: boolean): string | undefined {
  return value === "" && !emptyIsValue ? undefined : value;
}

function refuse(report: SourceReport, key: SettingKey, problem: ConfigProblem): void {
  report.problems.push(problem);
  report.wrong.push(key);
}

function serviceLinkProblem(name: string, value: string): ConfigProblem {
  const service = name
    .replace(/_PORT$/, "")
    .toLowerCase()
    .replaceAll("_", "-");
  return {
    key: name,
    text: `${name} is "${value}": Kubernetes injects that for the Service "${service}". Set enableServiceLinks: false on the pod, or rename the Service`,
  };
}

function reportUnknown(env: Environment, known: ReadonlySet<string>, report: SourceReport): void {
  const links: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || known.has(name) || value === undefined) continue;
    if (SERVICE_LINK_VALUE.test(value) || SERVICE_LINK_NAME.test(name)) links.push(name);
    else reportOne(name, known, report);
  }
  if (links.length === 0) return;
  report.warnings.push(
    `${links.join(", ")}: ignored. Kubernetes injects these for a Service called "sluice"; set enableServiceLinks: false on the pod to avoid it`,
  );
}

function reportOne(name: string, known: ReadonlySet<string>, report: SourceReport): void {
  if (name.endsWith(FILE_SUFFIX) && known.has(name.slice(0, -FILE_SUFFIX.length))) {
    const only = [...known].filter((each) => each.endsWith(FILE_SUFFIX)).join(", ");
    report.problems.push({
      key: name,
      text: `${name} is not a setting: only secrets are read from files (${only})`,
    });
    return;
  }
  const bare = [...known].map((each) => each.slice(PREFIX.length));
  const meant = nearest(name.slice(PREFIX.length), bare);
  if (meant === undefined) report.warnings.push(`${name} is not a setting; it is ignored`);
  else report.problems.push({ key: name, text: `${name} is not a setting: did you mean ${PREFIX}${meant}?` });
}
