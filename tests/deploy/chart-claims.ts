/** The Helm chart: accepted by Kubernetes' schemas, restricted, and configured so that a worker would start with it. */
import { deepStrictEqual as same, match, notStrictEqual as differs, ok } from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import type { Claims } from "../compose/claims.ts";
import { breaches, type Container, type PodSpec } from "./pod-security.ts";
import { mustSay, say } from "./said.ts";
import { KUBERNETES, OPERATOR_SCHEMAS, schemaLocation, TOOLS } from "./tools.ts";

const root = join(import.meta.dirname, "../..");
const CHART = join(root, "deploy/helm/sluice");
const CASES = readdirSync(join(CHART, "ci")).map((file) => join(CHART, "ci", file));

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: Labelled & { name: string };
  spec?: { template?: { metadata: Labelled; spec: PodSpec } };
}

interface Labelled {
  labels?: Record<string, string>;
}

export async function chartClaims(claims: Claims): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "sluice-chart-"));
  const helm = ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"].map((name) => [name, home]);
  const env = { ...process.env, ...Object.fromEntries(helm) } as Record<string, string>;
  const template = (values: string, ...more: string[]) =>
    say(TOOLS.helm, ["template", "rec", CHART, "--kube-version", "1.34.0", "--values", values, ...more], {
      env,
    });
  const rendered = (values: string): string => {
    const said = template(values);
    same(said.code, 0, said.all);
    return said.out;
  };
  try {
    await claims.holds("helm lint --strict has nothing to say, of the defaults and of each example", () => {
      for (const values of [[], ...CASES.map((file) => ["--values", file])])
        mustSay(TOOLS.helm, ["lint", "--strict", CHART, ...values], { env });
    });
    for (const version of KUBERNETES) {
      await claims.holds(
        `every manifest is what Kubernetes ${version} knows, and nothing it does not`,
        () => {
          for (const file of CASES) conforms(rendered(file), version);
          const wrong = rendered(CASES[0] ?? "").replaceAll("enableServiceLinks", "enableServiceLink");
          ok(kubeconform(wrong, version).all.includes("enableServiceLink"), "a wrong field is not noticed");
        },
      );
    }
    await monitoringClaims(claims, rendered);
    for (const file of CASES)
      await exampleClaims(claims, basename(file, ".yaml"), manifests(rendered(file)), home);
    await refusalClaims(claims, template);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function exampleClaims(claims: Claims, name: string, found: readonly Manifest[], home: string) {
  const pods = found.flatMap(({ spec }) => (spec?.template ? [spec.template.spec] : []));
  await claims.holds(`${name}: pods keep to "restricted", take no service links and no token`, () => {
    differs(pods.length, 0);
    for (const pod of pods) {
      same(breaches(pod), []);
      same([pod.enableServiceLinks, pod.automountServiceAccountToken], [false, false]);
    }
  });
  await claims.holds(`${name}: the worker and the dashboard take the configuration they are given`, () => {
    for (const pod of pods) for (const container of containersOf(pod)) validates(container, home);
  });
  const volumeEnds = pods.find((pod) => pod.initContainers !== undefined);
  const worker = pods.flatMap(containersOf).find((container) => container.name === "sluice");
  if (volumeEnds) {
    await claims.holds(`${name}: a native sidecar that seals, with time for what the formula says`, () => {
      same([worker?.restartPolicy, valueOf(worker, "SLUICE_ON_TERM")], ["Always", "seal"]);
      same(volumeEnds.shareProcessNamespace, true);
      // 20 s for the recorder, 80 MiB at 12 MiB/s, 30 s.
      same(volumeEnds.terminationGracePeriodSeconds, 20 + 7 + 30);
      same(valueOf(worker, "SLUICE_DRAIN_TIMEOUT"), "32s");
    });
    await claims.holds(
      `${name}: a volume that the chart makes and ends is emptied, and trouble that may end is waited for`,
      () => {
        same(
          [valueOf(worker, "SLUICE_AFTER_UPLOAD"), valueOf(worker, "SLUICE_START_BLOCKED")],
          ["delete", "true"],
        );
      },
    );
  } else {
    await claims.holds(
      `${name}: a worker whose volume stays never seals by itself, and deletes nothing`,
      () => {
        same(valueOf(worker, "SLUICE_ON_TERM"), "pause");
        same(valueOf(worker, "SLUICE_AFTER_UPLOAD"), undefined);
      },
    );
  }
}

async function monitoringClaims(claims: Claims, rendered: (values: string) => string): Promise<void> {
  const of = (name: string): Manifest[] => manifests(rendered(join(CHART, "ci", `${name}.yaml`)));
  const kinds = (name: string): string[] =>
    of(name)
      .filter(({ apiVersion }) => apiVersion.startsWith("monitoring.coreos.com/"))
      .map(({ kind }) => kind)
      .toSorted();
  await claims.holds(
    "monitoring: the operator is told whom to scrape where it is asked to, and nowhere else",
    () => {
      same(kinds("worker"), ["PrometheusRule", "ServiceMonitor"]);
      same(kinds("sidecar"), ["PodMonitor", "PrometheusRule"]);
      same(kinds("shared-volume"), []);
    },
  );
  await claims.holds(
    "monitoring: monitors choose pods that are there, and name the job that the alerts ask for",
    () => {
      for (const name of ["worker", "sidecar"]) {
        const found = of(name);
        const [monitor] = found.filter(({ kind }) => kind.endsWith("Monitor")) as [Monitor];
        const chosen = Object.entries(monitor.spec.selector.matchLabels);
        const labels = found
          .filter(({ kind }) => kind === (monitor.kind === "PodMonitor" ? "Deployment" : "Service"))
          .map(
            (each) =>
              (monitor.kind === "PodMonitor" ? each.spec?.template?.metadata : each.metadata)?.labels ?? {},
          );
        ok(
          labels.some((has) => chosen.every(([key, value]) => has[key] === value)),
          `${name}: nothing is chosen`,
        );
        const [endpoint] = monitor.spec.endpoints ?? monitor.spec.podMetricsEndpoints ?? [];
        same(endpoint?.relabelings, [{ targetLabel: "job", replacement: "sluice" }]);
        same(monitor.metadata.labels?.["release"], "prometheus");
      }
    },
  );
  await claims.holds("monitoring: the rules are the alerts of deploy/prometheus, word for word", () => {
    const rule = of("worker").find(({ kind }) => kind === "PrometheusRule");
    const alerts = parse(readFileSync(join(root, "deploy/prometheus/sluice.rules.yml"), "utf8")) as object;
    same(rule?.spec, alerts);
  });
}

interface Monitor extends Omit<Manifest, "spec"> {
  spec: {
    selector: { matchLabels: Record<string, string> };
    endpoints?: Endpoint[];
    podMetricsEndpoints?: Endpoint[];
  };
}

interface Endpoint {
  relabelings: object[];
}

async function refusalClaims(
  claims: Claims,
  template: (values: string, ...more: string[]) => { code: number | null; all: string },
): Promise<void> {
  const [worker = "", shared = ""] = ["worker", "shared-volume"].map((name) =>
    join(CHART, "ci", `${name}.yaml`),
  );
  const refusals: [what: string, values: string, set: string, says: RegExp][] = [
    ["a value there is not", worker, "worker.replica=2", /replica/],
    ["a password in the Redis URL", shared, "redis.url=redis://:secret@redis:6379", /redis/],
    ["no registry", worker, "image.registry=", /image\.registry/],
    ["no Redis", shared, "redis.url=", /redis\.urlSecret/],
    ["no password for the dashboard", worker, "web.passwordSecret.name=", /web\.passwordSecret/],
    ["a drain that outlasts the grace period", worker, "worker.drainSeconds=60", /drainSeconds/],
    ["a shared volume without a name", shared, "worker.source=", /worker\.source/],
    ["a dashboard open to everybody", shared, "web.auth=none", /auth/],
    ["a dashboard's name without TLS", shared, "web.ingress.tlsSecret=", /tlsSecret/],
    ["a secret among the settings", worker, "worker.settings.redis_url=redis://x", /redis_url/],
  ];
  for (const [what, values, set, says] of refusals) {
    await claims.holds(`the chart refuses ${what}, and says so`, () => {
      const said = template(values, "--set", set);
      differs(said.code, 0, "it was taken");
      match(said.all, says);
    });
  }
}

function kubeconform(manifest: string, version: string) {
  const places = [schemaLocation(version), OPERATOR_SCHEMAS];
  const options = ["-strict", "-summary", ...places.flatMap((place) => ["-schema-location", place])];
  return say(TOOLS.kubeconform, options, { input: manifest });
}

function conforms(manifest: string, version: string): void {
  const said = kubeconform(manifest, version);
  same(said.code, 0, said.all);
  match(said.all, /Invalid: 0, Errors: 0, Skipped: 0/);
}

function manifests(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    same(document.errors, []);
    const manifest = document.toJS() as Manifest | null;
    return manifest ? [manifest] : [];
  });
}

function containersOf({ containers, initContainers = [] }: PodSpec): Container[] {
  return [...initContainers, ...containers];
}

function valueOf(container: Container | undefined, name: string): string | undefined {
  return container?.env?.find((one) => one.name === name)?.value;
}

/** What comes from the cluster is made up; a file of a secret is a file here. */
function validates(container: Container, home: string): void {
  const program = { sluice: "worker", web: "dashboard" }[container.name];
  if (program === undefined) return;
  const secret = join(home, "secret");
  writeFileSync(secret, program === "worker" ? "redis://redis:6379" : "redis://redis:6379");
  const given = (container.env ?? []).map(({ name, value }) => [
    name,
    name.endsWith("_FILE") ? secret : (value ?? "from-the-cluster"),
  ]);
  // As the image sets it.
  const image = program === "worker" ? { SLUICE_HTTP_HOST: "0.0.0.0" } : { SLUICE_WEB_HOST: "0.0.0.0" };
  const env = { PATH: process.env["PATH"] ?? "", container: "oci", ...image, ...Object.fromEntries(given) };
  const cli = join(root, "apps/worker/src/main.mjs");
  const said = say(process.execPath, [cli, "config", "validate", "--json", "--for", program], { env });
  const { valid, problems, warnings } = JSON.parse(said.out) as Record<string, unknown>;
  same({ valid, problems, warnings }, { valid: true, problems: [], warnings: [] });
}
