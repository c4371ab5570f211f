/**
 * The Docker engine of the suite. By default a private one from Debian's docker.io, with its own socket, data and bridge:
 * then no other may run in this network namespace, since each rewrites the iptables chains of the other. With DOCKER_HOST
 * the engine there is used as it is, and pulls the images itself.
 */
import { spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { aptInstall, hasApt, onPath } from "../../scripts/start/redis/apt-install.ts";
import { until } from "../../apps/worker/test/rig/until.ts";
import { mustRun, run } from "./run-program.ts";

const KEPT = join(import.meta.dirname, "../../.sluice/compose");
const PLUGIN = join(KEPT, "docker-config/cli-plugins/docker-compose");
const BRIDGE = "sluice-check0";
const SUBNET = "172.31.250.1/24";
/** Unix sockets have short paths, and a checkout may lie deep. */
const SOCKETS = join(tmpdir(), `sluice-engine-${process.pid}`);
const PROGRAMS: Readonly<Record<string, string>> = {
  dockerd: "docker.io",
  docker: "docker.io",
  iptables: "iptables",
  ip: "iproute2",
  debootstrap: "debootstrap",
  rclone: "rclone",
};
const START_WITHIN_MS = 60_000;
const KEPT_CACHE = "4gb";

export interface Engine extends AsyncDisposable {
  /** For everything that talks to the engine. */
  readonly env: NodeJS.ProcessEnv;
  /** Started here, where no image can be pulled for sure. */
  readonly isOwn: boolean;
}

/** Undefined: all is there. Otherwise why not, and what to do. */
export async function bringEngine(): Promise<string | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "the suite starts containers of several users, and by default a Docker engine: run it as root on Linux";
  if (process.env["DOCKER_HOST"]) return await foreignEngine();
  return (await ownEngine()) ?? (await bringCompose());
}

async function ownEngine(): Promise<string | undefined> {
  const daemon = globSync("/proc/[0-9]*/comm").find((file) => programOf(file) === "dockerd");
  if (daemon !== undefined)
    return `a Docker engine runs here already (process ${daemon.split("/")[2]}): set DOCKER_HOST to use it, as in DOCKER_HOST=unix:///var/run/docker.sock`;
  const missing = (): string[] => [
    ...new Set(Object.entries(PROGRAMS).flatMap(([program, name]) => (onPath(program) ? [] : [name]))),
  ];
  const packages = missing();
  if (packages.length > 0) {
    if (process.env["CI"] !== "true" || !hasApt())
      return `run: apt-get update && apt-get install --no-install-recommends ${packages.join(" ")}`;
    console.log(`installing ${packages.join(" ")} (CI=true, root)`);
    await aptInstall(packages);
    if (missing().length > 0) return `Debian's ${packages.join(" ")} lack ${missing().join(" ")}`;
  }
  return undefined;
}

/** Our projects have fixed names there: a stack of theirs is not touched. */
async function foreignEngine(): Promise<string | undefined> {
  if (!onPath("rclone")) return "run: apt-get install --no-install-recommends rclone";
  const { code, out, all } = await run(["docker", "compose", "ls", "--all", "--format", "json"]);
  if (code !== 0)
    return `docker compose does not work with DOCKER_HOST=${process.env["DOCKER_HOST"]}: ${all}`;
  const taken = ["sluice", "sluice-prod"].filter((name) => out.includes(`"Name":"${name}"`));
  return taken.length === 0 ? undefined : `${taken.join(" and ")} runs on that engine: end it first`;
}

/** Of a process that may end meanwhile. */
function programOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** Compose 2 is one static binary: the package of the Debian after this one runs here; this one's is version 1. */
async function bringCompose(): Promise<string | undefined> {
  if (existsSync(PLUGIN)) return undefined;
  const home = join(KEPT, `compose-${process.pid}`);
  mkdirSync(join(home, "lists/partial"), { recursive: true });
  mkdirSync(join(home, "cache/archives/partial"), { recursive: true });
  try {
    const sources = join(home, "sources.list");
    await mustRun(["sh", "-c", `echo 'deb http://deb.debian.org/debian trixie main' >'${sources}'`]);
    const options = [
      `Dir::Etc::sourcelist=${sources}`,
      "Dir::Etc::sourceparts=-",
      `Dir::State::lists=${home}/lists`,
      `Dir::Cache=${home}/cache`,
      "APT::Sandbox::User=root",
    ].flatMap((option) => ["-o", option]);
    const limits = { cwd: home, withinMs: 5 * 60_000 };
    await mustRun(["apt-get", ...options, "update"], limits);
    await mustRun(["apt-get", ...options, "download", "docker-compose"], limits);
    await mustRun(["sh", "-c", "dpkg-deb --extract docker-compose_*.deb files"], limits);
    mkdirSync(join(PLUGIN, ".."), { recursive: true });
    copyFileSync(join(home, "files/usr/libexec/docker/cli-plugins/docker-compose"), PLUGIN);
    chmodSync(PLUGIN, 0o755);
    return undefined;
  } catch (error) {
    return `Debian's docker-compose 2 cannot be had: ${String(error)}`;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Of an own engine, images are kept in `.sluice/compose/data` from one run to the next. */
export async function startEngine(): Promise<Engine> {
  const {
    AWS_CA_BUNDLE: _bundle,
    COMPOSE_FILE: _file,
    COMPOSE_PROFILES: _profiles,
    ...inherited
  } = process.env;
  const path = [process.env["PATH"], "/usr/sbin", "/sbin"].join(delimiter);
  // The builder that today's engines use by default.
  const common = { ...inherited, PATH: path, DOCKER_BUILDKIT: "1" };
  if (process.env["DOCKER_HOST"])
    return { env: common, isOwn: false, [Symbol.asyncDispose]: () => Promise.resolve() };
  mkdirSync(KEPT, { recursive: true });
  rmSync(SOCKETS, { recursive: true, force: true });
  mkdirSync(SOCKETS, { mode: 0o700 });
  const host = `unix://${SOCKETS}/docker.sock`;
  const env = { ...common, DOCKER_HOST: host, DOCKER_CONFIG: join(PLUGIN, "../..") };
  await run(["ip", "link", "del", BRIDGE], { env });
  await mustRun(["ip", "link", "add", BRIDGE, "type", "bridge"], { env });
  await mustRun(["ip", "addr", "add", SUBNET, "dev", BRIDGE], { env });
  await mustRun(["ip", "link", "set", BRIDGE, "up"], { env });
  const log = join(KEPT, "engine.log");
  const out = openSync(log, "w");
  const daemon = spawn(
    "dockerd",
    Object.entries({
      host,
      "data-root": join(KEPT, "data"),
      "exec-root": join(SOCKETS, "exec"),
      pidfile: join(SOCKETS, "pid"),
      bridge: BRIDGE,
      "log-level": "warn",
      "exec-opt": "native.cgroupdriver=cgroupfs",
    }).map(([option, value]) => `--${option}=${value}`),
    { env, stdio: ["ignore", out, out] },
  );
  const ended = new Promise<void>((resolve) => daemon.once("exit", () => resolve()));
  await until(
    "the Docker engine answers",
    async () => {
      if (daemon.exitCode !== null)
        throw new Error(`dockerd ended:\n${readFileSync(log, "utf8").slice(-3_000)}`);
      return (await run(["docker", "version"], { env })).code === 0;
    },
    { withinMs: START_WITHIN_MS, everyMs: 500 },
  );
  return {
    env,
    isOwn: true,
    async [Symbol.asyncDispose]() {
      await run(["docker", "image", "prune", "-f"], { env });
      await run(["docker", "builder", "prune", "-f", "--keep-storage", KEPT_CACHE], { env });
      daemon.kill("SIGTERM");
      await ended;
      await run(["ip", "link", "del", BRIDGE], { env });
      rmSync(SOCKETS, { recursive: true, force: true });
    },
  };
}
