/** What an upgrade finds in the cluster, which is a server here that knows one workload: Helm's `lookup` asks it. */
import { strictEqual as same } from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Claims } from "../compose/claims.ts";
import { mustRun } from "../compose/run-program.ts";
import { TOOLS } from "./tools.ts";

const CHART = join(import.meta.dirname, "../../deploy/helm/sluice");
const PREFIX = "SLUICE_S3_KEY_PREFIX";

interface Workload {
  plural: "statefulsets" | "deployments";
  kind: "StatefulSet" | "Deployment";
  name: string;
  /** The container's list in the pod. */
  list: "containers" | "initContainers";
}

const WORKER: Workload = {
  plural: "statefulsets",
  kind: "StatefulSet",
  name: "rec-sluice-worker",
  list: "containers",
};
const SIDECAR: Workload = {
  plural: "deployments",
  kind: "Deployment",
  name: "rec-sluice-recorder",
  list: "initContainers",
};

export async function upgradeClaims(claims: Claims): Promise<void> {
  const cases: [
    what: string,
    example: string,
    of: Workload,
    runs: string | null | undefined,
    is: string | undefined,
  ][] = [
    ["a new release gets its source as prefix", "worker", WORKER, undefined, "{source}/"],
    ["a release without a prefix keeps having none", "worker", WORKER, null, undefined],
    ["a release keeps the prefix it has", "worker", WORKER, "old/", "old/"],
    ["so does a sidecar's", "sidecar", SIDECAR, null, undefined],
    ["a prefix that is given is taken", "shared-volume", WORKER, "old/", "studio/"],
  ];
  for (const [what, example, workload, runs, is] of cases)
    await claims.holds(`upgrade: ${what}`, async () => {
      const text = await template(example, workload, runs);
      const [, found] = new RegExp(`${PREFIX}, value: "([^"]*)"`).exec(text) ?? [];
      same(found, is);
    });
}

/** @param runs the prefix of the workload in the cluster; null: it has none; undefined: there is no such workload */
async function template(example: string, of: Workload, runs: string | null | undefined): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), "sluice-upgrade-"));
  const container = { name: "sluice", env: runs === null ? [] : [{ name: PREFIX, value: runs }] };
  const object = {
    apiVersion: "apps/v1",
    kind: of.kind,
    metadata: { name: of.name, namespace: "default" },
    spec: { template: { spec: { [of.list]: [container] } } },
  };
  const resources = [WORKER, SIDECAR].map(({ plural, kind }) => ({
    name: plural,
    singularName: "",
    namespaced: true,
    kind,
    verbs: ["get"],
  }));
  const answers: Readonly<Record<string, object>> = {
    "/version": { major: "1", minor: "34", gitVersion: "v1.34.0" },
    "/api": { kind: "APIVersions", versions: ["v1"] },
    "/apis": { kind: "APIGroupList", apiVersion: "v1", groups: [] },
    "/api/v1": { kind: "APIResourceList", groupVersion: "v1", resources: [] },
    "/apis/apps/v1": { kind: "APIResourceList", groupVersion: "apps/v1", resources },
    ...(runs === undefined ? {} : { [`/apis/apps/v1/namespaces/default/${of.plural}/${of.name}`]: object }),
  };
  await using server = createServer((request, reply) => {
    const answer = answers[new URL(request.url ?? "", "http://cluster").pathname];
    const missing = { kind: "Status", apiVersion: "v1", status: "Failure", reason: "NotFound", code: 404 };
    reply.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
    reply.end(JSON.stringify(answer ?? missing));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const cluster = { name: "c", cluster: { server: `http://127.0.0.1:${port}` } };
    const context = { name: "c", context: { cluster: "c", user: "u" } };
    const config = { apiVersion: "v1", kind: "Config", "current-context": "c", clusters: [cluster] };
    const file = join(home, "kubeconfig");
    writeFileSync(file, JSON.stringify({ ...config, contexts: [context], users: [{ name: "u", user: {} }] }));
    const values = ["--values", join(CHART, `ci/${example}.yaml`)];
    const asked = [
      "--dry-run=server",
      "--kube-version",
      "1.34.0",
      "--kubeconfig",
      file,
      "--namespace",
      "default",
    ];
    const directories = ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"].map((name) => [name, home]);
    return await mustRun([TOOLS.helm, "template", "rec", CHART, ...asked, ...values], {
      env: { ...process.env, ...Object.fromEntries(directories) } as NodeJS.ProcessEnv,
    });
  } finally {
    server.closeAllConnections();
    rmSync(home, { recursive: true, force: true });
  }
}
