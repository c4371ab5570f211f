/** The compose files, read by Compose's own parser: what it makes of them is what is asked about. */
import { deepStrictEqual as same, match, ok } from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Claims } from "../compose/claims.ts";
import { mustSay, say } from "./said.ts";
import { TOOLS } from "./tools.ts";

const root = join(import.meta.dirname, "../..");

interface Service {
  image?: string;
  build?: { dockerfile: string; target?: string };
  profiles?: string[];
  depends_on?: Record<string, { condition: string }>;
  environment?: Record<string, string>;
  ports?: { host_ip?: string; published: string; target: number }[];
  volumes?: { type: string; source: string; target: string }[];
  secrets?: { source: string }[];
  healthcheck?: object;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  pid?: string;
  user?: string;
  mem_limit?: string;
  logging?: { options?: Record<string, string> };
  container_name?: string;
  stop_grace_period?: string;
}

interface Project {
  name?: string;
  services: Record<string, Service>;
  volumes?: Record<string, unknown>;
  secrets?: Record<string, { file: string }>;
}

const PRODUCTION = {
  SLUICE_SOURCE: "studio-1",
  SLUICE_S3_BUCKET: "recordings",
  SLUICE_INBOX: "/srv/recordings",
};

/** The parser's own command line looks nothing up, so values are put in here; what has none keeps its default or is refused. */
function project(file: string, values: Record<string, string> = {}): Project {
  const home = mkdtempSync(join(tmpdir(), "sluice-compose-"));
  try {
    const text = readFileSync(join(root, file), "utf8").replaceAll(
      /\$\{([A-Z0-9_]+)[^}]*\}/g,
      (whole, name: string) => values[name] ?? whole,
    );
    const copy = join(home, file);
    writeFileSync(copy, text);
    return JSON.parse(mustSay(TOOLS.compose, ["-format", "json", copy])) as Project;
  } finally {
    rmSync(home, { recursive: true });
  }
}

export async function composeClaims(claims: Claims): Promise<void> {
  await claims.holds("hadolint has nothing to say about the Dockerfiles", () => {
    const files = ["worker", "web"].map((name) => join(root, `deploy/${name}.Dockerfile`));
    mustSay(TOOLS.hadolint, files);
  });
  const development = await claims.holds("docker-compose.yml is read as it is, without any variable", () =>
    project("docker-compose.yml"),
  );
  const production = await claims.holds("docker-compose.prod.yml is read with its three variables", () =>
    project("docker-compose.prod.yml", PRODUCTION),
  );
  await claims.holds("docker-compose.prod.yml says which variable is missing", () => {
    const said = say(TOOLS.compose, [join(root, "docker-compose.prod.yml")], { env: { PATH: "" } });
    ok(said.code !== 0);
    match(said.all, /name the|SLUICE_/);
  });
  if (development) await developmentClaims(claims, development);
  if (production) await productionClaims(claims, production);
  for (const [file, found] of Object.entries({ development, production })) {
    if (found) await everywhere(claims, file, Object.entries(found.services));
  }
}

async function developmentClaims(claims: Claims, { services, volumes }: Project): Promise<void> {
  await claims.holds("`docker compose up` alone starts Redis, S3, worker and dashboard", () => {
    const always = Object.entries(services).flatMap(([name, { profiles }]) => (profiles ? [] : [name]));
    // `inbox` ends at once: it only gives the directory to the recorder's user.
    same(always.toSorted(), ["inbox", "redis", "s3", "web", "worker"]);
    const profiles = new Set(Object.values(services).flatMap((service) => service.profiles ?? []));
    same([...profiles].toSorted(), ["demo", "observability"]);
  });
  await claims.holds("whoever needs Redis, S3 or the worker waits until it is healthy", () => {
    const healthy = (name: string, of: string) =>
      services[name]?.depends_on?.[of]?.condition === "service_healthy";
    ok(healthy("worker", "redis") && healthy("worker", "s3") && healthy("web", "redis"));
    same(services["worker"]?.depends_on?.["inbox"]?.condition, "service_completed_successfully");
    ok(healthy("demo", "worker") && healthy("prometheus", "worker"));
    for (const name of ["redis", "s3"]) ok(services[name]?.healthcheck, `${name} has no health check`);
  });
  await claims.holds("the bucket is made by the worker; data lies in named volumes", () => {
    same(services["worker"]?.environment?.["SLUICE_S3_CREATE_BUCKET"], "true");
    for (const name of ["redis", "s3", "web"]) {
      ok(
        services[name]?.volumes?.some(({ type }) => type === "volume"),
        name,
      );
      ok(volumes && name in volumes, `volume ${name}`);
    }
  });
  await claims.holds("the source is fixed, and worker and demo writer share a PID namespace", () => {
    ok(services["worker"]?.environment?.["SLUICE_SOURCE"]);
    same([services["worker"]?.pid, services["demo"]?.pid], ["host", "host"]);
    same(services["worker"]?.user, services["demo"]?.user);
  });
  await claims.holds("Redis is append-only and never evicts; S3 has a real region", () => {
    const { command = [] } = services["redis"] as { command?: string[] };
    const words = command.join(" ");
    match(words, /--appendonly yes/);
    match(words, /--maxmemory-policy noeviction/);
    same(services["s3"]?.environment?.["VGW_REGION"], services["worker"]?.environment?.["SLUICE_S3_REGION"]);
  });
  await claims.holds("no password of the dashboard is in the file: it makes its own and keeps it", () => {
    const names = Object.keys(services["web"]?.environment ?? {});
    same(
      names.filter((name) => name.includes("PASSWORD")),
      [],
    );
    ok(services["web"]?.volumes?.some(({ target }) => target === "/var/lib/sluice"));
  });
}

async function productionClaims(claims: Claims, { name, services, secrets = {} }: Project): Promise<void> {
  await claims.holds("production is a project of its own, beside the development stack", () =>
    same(name, "sluice-prod"),
  );
  await claims.holds("in production every secret is a file, and none stands in the environment", () => {
    for (const [name, { environment = {} }] of Object.entries(services)) {
      const plain = Object.keys(environment).filter((key) =>
        /^(SLUICE_REDIS_URL|SLUICE_WEB_PASSWORD|AWS_SECRET_ACCESS_KEY)$/.test(key),
      );
      same(plain, [], name);
    }
    const used = new Set(
      Object.values(services)
        .flatMap((service) => service.secrets ?? [])
        .map((one) => one.source),
    );
    same([...used].toSorted(), Object.keys(secrets).toSorted());
    ok(Object.values(secrets).every(({ file }) => file.includes("/secrets/")));
  });
}

async function everywhere(claims: Claims, file: string, services: [string, Service][]): Promise<void> {
  await claims.holds(`${file}: ports are open on 127.0.0.1 only`, () => {
    for (const [name, { ports = [] }] of services)
      for (const port of ports) same(port.host_ip, "127.0.0.1", `${name} ${port.published}`);
  });
  await claims.holds(`${file}: images have an exact version, and no container a fixed name`, () => {
    for (const [name, { image, build, container_name }] of services) {
      // Our own carry the tag of the release, by a variable.
      if (image !== undefined && !build) match(image, /:v?\d+\.\d+\.\d+$/, name);
      same(container_name, undefined);
    }
  });
  await claims.holds(`${file}: no container's log grows without end, and ours have a limit of memory`, () => {
    for (const [name, { logging, mem_limit, build }] of services) {
      ok(logging?.options?.["max-size"] && logging.options["max-file"], name);
      if (build) ok(mem_limit, name);
    }
  });
  await claims.holds(`${file}: our containers have a read-only root and no capabilities`, () => {
    for (const [name, service] of services) {
      if (!service.build) continue;
      same(service.read_only, true, name);
      same(service.cap_drop, ["ALL"], name);
      same(service.security_opt, ["no-new-privileges:true"], name);
    }
  });
}
