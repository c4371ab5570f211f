/** The stack of docker-compose.yml in a fresh clone, used as an operator uses it: compose commands, files, the bucket. */
import { once } from "node:events";
import { spawn, type ChildProcess } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { until } from "../../apps/worker/test/rig/until.ts";
import { interrupted, mustRun, run, type Ran } from "./run-program.ts";

export const MIB = 1024 * 1024;
export const RECORDER_UID = 1000;
/** A machine that does other things needs more patience; it matters only to a claim that fails. */
const PATIENCE = Number(process.env["PATIENCE"] ?? 1);

export interface Ports {
  dashboard: number;
  worker: number;
  s3: number;
}

export class Stack implements AsyncDisposable {
  /** The clone. */
  readonly directory: string;
  readonly ports: Ports;
  /** For everything that talks to the engine. */
  readonly env: NodeJS.ProcessEnv;
  readonly #home: string;
  readonly #followers: ChildProcess[] = [];

  constructor(home: string, directory: string, ports: Ports, env: NodeJS.ProcessEnv) {
    this.#home = home;
    this.directory = directory;
    this.ports = ports;
    this.env = {
      ...env,
      SLUICE_DASHBOARD_PORT: String(ports.dashboard),
      SLUICE_WORKER_PORT: String(ports.worker),
      SLUICE_S3_PORT: String(ports.s3),
    };
    mkdirSync(join(home, "tmp"), { recursive: true });
    writeFileSync(this.accessLog, "");
    writeFileSync(
      this.#rcloneConfig,
      `[s3]\ntype = s3\nprovider = Other\naccess_key_id = sluice-local\nsecret_access_key = sluice-local-secret\nendpoint = http://127.0.0.1:${ports.s3}\nregion = us-east-1\n`,
    );
  }

  get inbox(): string {
    return join(this.directory, "inbox");
  }

  /** The gateway's own log, kept over recreated containers: what was really sent. */
  get accessLog(): string {
    return join(this.#home, "s3.log");
  }

  get #rcloneConfig(): string {
    return join(this.#home, "rclone.conf");
  }

  async docker(argv: readonly string[], withinS = 120): Promise<Ran> {
    return await run(["docker", ...argv], this.#options(withinS));
  }

  async compose(argv: readonly string[], withinS = 120): Promise<string> {
    return await mustRun(["docker", "compose", ...argv], this.#options(withinS));
  }

  /** A command inside the worker's container. */
  async sluice(...argv: string[]): Promise<string> {
    return await this.compose(["exec", "-T", "worker", "sluice", ...argv]);
  }

  /** Whether a file whose name contains `name` is a stream under way. */
  async isListed(name: string): Promise<boolean> {
    return (await this.#listed(name)).length > 0;
  }

  /** Whether the worker sees that a stream's file, whose name contains `name`, is still open. */
  async waitsForWriter(name: string): Promise<boolean> {
    const rows = await this.#listed(name);
    return rows.some(({ waiting_for: reason }) => String(reason).includes('"for":"writer"'));
  }

  async #listed(name: string): Promise<Record<string, unknown>[]> {
    const rows = JSON.parse(await this.sluice("ls", "--json")) as Record<string, unknown>[];
    return rows.filter(({ original_path: path }) => String(path).includes(name));
  }

  async container(service: string): Promise<string> {
    return (await this.compose(["ps", "-a", "-q", service])).trim();
  }

  async inspect(service: string, format: string): Promise<string> {
    const { out } = await this.docker(["inspect", "-f", format, await this.container(service)]);
    return out.trim();
  }

  /** On this machine, as the recorder's user. */
  async asRecorder(...argv: string[]): Promise<string> {
    const user = [`--reuid=${RECORDER_UID}`, `--regid=${RECORDER_UID}`, "--clear-groups"];
    return await mustRun(["setpriv", ...user, ...argv], this.#options(60));
  }

  /** A command as a user types it, in the clone's directory. */
  async shell(command: string, withinS = 300): Promise<Ran> {
    return await run(["bash", "-ec", command], this.#options(withinS));
  }

  async rclone(...argv: string[]): Promise<string> {
    return await mustRun(["rclone", "--config", this.#rcloneConfig, ...argv], this.#options(300));
  }

  /** A file of this user appears in the inbox. */
  async put(name: string, bytes: number, uid = RECORDER_UID): Promise<string> {
    const path = join(this.inbox, name);
    const aside = join(this.#home, "tmp/file");
    await mustRun(["sh", "-c", `head -c ${bytes} /dev/urandom >'${aside}'`]);
    chmodSync(aside, 0o644);
    chownSync(aside, uid, uid);
    // At once, whole and with its owner: the same file system.
    renameSync(aside, path);
    return path;
  }

  async until<T>(what: string, probe: () => Promise<T | undefined | false>, withinS = 180): Promise<T> {
    const asked = async (): Promise<T | undefined | false> => {
      interrupted.throwIfAborted();
      return await probe();
    };
    return await until(what, asked, { withinMs: withinS * 1_000 * PATIENCE, everyMs: 1_000 });
  }

  /** The object and its description are there, and the object equals the file. */
  async completes(name: string): Promise<void> {
    await this.until(`${name} is completed`, async () =>
      (await this.rclone("lsf", "s3:sluice")).split("\n").includes(`${name}.metadata.json`),
    );
    await this.rclone("check", "--download", "--include", `/${name}`, this.inbox, "s3:sluice");
  }

  /** At least this many parts of the file have been sent. */
  async inFlight(name: string, parts: number): Promise<void> {
    await this.until(`${parts} parts of ${name} were sent`, async () => this.partsOf(name) >= parts, 90);
  }

  /** Parts of the file that the gateway's log shows. */
  partsOf(name: string): number {
    const sent = `| PUT | /sluice/${name} `;
    return readFileSync(this.accessLog, "utf8")
      .split("\n")
      .filter((line) => line.includes(sent) && line.includes("partNumber=")).length;
  }

  /** Parts that the gateway took more than once, as `key number upload`; it must have taken some. */
  sentTwice(): string[] {
    const lines = new Set(readFileSync(this.accessLog, "utf8").split("\n"));
    const counts = new Map<string, number>();
    for (const line of lines) {
      if (!/\| 200 \|.*\| PUT \|.*partNumber=/.test(line) || line.includes("sluice-probe")) continue;
      const [, key = "", number = "", upload = ""] =
        /\| PUT \| ([^|]*) \|.*partNumber=([0-9]+)&uploadId=([^ ]*)/.exec(line) ?? [];
      const part = `${key} ${number} ${upload}`;
      counts.set(part, (counts.get(part) ?? 0) + 1);
    }
    if (counts.size === 0) throw new Error("the gateway's log shows no part at all");
    return [...counts].flatMap(([part, times]) => (times > 1 ? [part] : []));
  }

  /** Keeps the gateway's log from now on; to be called again when its container was made anew. */
  async follow(): Promise<void> {
    const child = spawn("docker", ["logs", "-f", await this.container("s3")], {
      env: this.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => appendFileSync(this.accessLog, chunk));
    this.#followers.push(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#followers) {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    }
    const project = ["docker", "compose", "--profile", "demo"];
    await run([...project, "kill"], this.#options(60));
    await run([...project, "down", "-v", "--remove-orphans"], this.#options(180));
    rmSync(join(this.#home, "tmp"), { recursive: true, force: true });
  }

  #options(withinS: number) {
    return { cwd: this.directory, env: this.env, withinMs: withinS * 1_000 * PATIENCE };
  }
}
