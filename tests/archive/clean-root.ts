/** A Debian with nothing but its required packages and systemd, to install the archive into: no Node, no npm, no Redis. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../apps/worker/test/rig/until.ts";
import { mustRun, run, type Ran } from "../compose/run-program.ts";

const MIRROR = "http://deb.debian.org/debian";
const RELEASE = "bookworm";
const KEPT = join(import.meta.dirname, "../../.sluice/archive");
const INCLUDED = "systemd,systemd-sysv,dbus";
const IMAGE = join(KEPT, `debian-${RELEASE}-systemd.tar`);
const BOOT_WITHIN_MS = 60_000;
const BUILD_WITHIN_MS = 10 * 60_000;
const PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
const END_WITHIN_MS = 40_000;

/** What a command in the root is given of the environment, and as whom it runs. */
export interface As {
  user?: string;
  env?: Readonly<Record<string, string>>;
}

export class CleanRoot implements AsyncDisposable {
  readonly directory: string;
  readonly #children: Service[] = [];

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async make(): Promise<CleanRoot> {
    await bringImage();
    const directory = mkdtempSync(join(tmpdir(), "sluice-clean-root-"));
    await mustRun(["tar", "-xf", IMAGE, "-C", directory]);
    await mustRun(["chmod", "0755", directory]);
    await mustRun(["mount", "-t", "proc", "proc", join(directory, "proc")]);
    return new CleanRoot(directory);
  }

  /** The path of a file of the root, as the machine outside sees it. */
  outside(path: string): string {
    return join(this.directory, path);
  }

  write(path: string, text: string): void {
    writeFileSync(this.outside(path), text);
  }

  async run(argv: readonly string[], as: As = {}): Promise<Ran> {
    return await run(this.#chrooted(argv, as), { env: {} });
  }

  /** Its standard output; rejects when it fails. */
  async mustRun(argv: readonly string[], as: As = {}): Promise<string> {
    return await mustRun(this.#chrooted(argv, as), { env: {} });
  }

  start(argv: readonly string[], as: As = {}): Service {
    const [program = "", ...args] = this.#chrooted(argv, as);
    const service = new Service(spawn(program, args, { env: {}, stdio: ["ignore", "pipe", "pipe"] }));
    this.#children.push(service);
    return service;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) await child.kill();
    await mustRun(["umount", join(this.directory, "proc")]);
    rmSync(this.directory, { recursive: true });
  }

  #chrooted(argv: readonly string[], { user, env = {} }: As): string[] {
    const userspec = user === undefined ? [] : [`--userspec=${user}`];
    const variables = Object.entries({ PATH, ...env });
    return [
      "/usr/sbin/chroot",
      ...userspec,
      this.directory,
      "/usr/bin/env",
      "-i",
      ...variables.map(([name, value]) => `${name}=${value}`),
      ...argv,
    ];
  }
}

/** A program that runs until it is stopped. */
export class Service {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  said = "";

  constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => (this.said += chunk.toString()));
    this.#exited = once(child, "exit").then(([code]) => code as number | null);
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Its exit code after SIGTERM; null when a signal killed it. */
  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), END_WITHIN_MS);
    return await this.#exited.finally(() => clearTimeout(late));
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}

/** The root with its systemd at work, in namespaces of its own. Ends with everything it started. */
export class Machine implements AsyncDisposable {
  readonly #launcher: ChildProcess;
  readonly #init: string;

  /** Its process 1, as the machine outside numbers it. */
  get init(): string {
    return this.#init;
  }

  private constructor(launcher: ChildProcess, init: string) {
    this.#launcher = launcher;
    this.#init = init;
  }

  static async boot(root: CleanRoot): Promise<Machine> {
    const namespaces = ["--pid", "--mount", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child"];
    const launcher = spawn("unshare", [...namespaces, join(import.meta.dirname, "boot.sh"), root.directory], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    launcher.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const { pid } = launcher;
    const init = await until("process 1", () => {
      if (launcher.exitCode !== null) throw new Error(`the machine does not boot: ${said}`);
      return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim() || undefined;
    });
    const machine = new Machine(launcher, init);
    await until(
      "systemd answers",
      async () => /^(?:running|degraded)$/m.test((await machine.run(["systemctl", "is-system-running"])).out),
      { withinMs: BOOT_WITHIN_MS },
    );
    return machine;
  }

  /** Rejects when it does not end within `withinMs`. */
  async run(argv: readonly string[], withinMs?: number): Promise<Ran> {
    const namespaces = ["--pid", "--mount", "--uts", "--ipc", "--cgroup"];
    const clean = ["/usr/bin/env", "-i", `PATH=${PATH}`];
    return await run(["nsenter", `--target=${this.#init}`, ...namespaces, ...clean, ...argv], {
      withinMs,
    });
  }

  /** Its standard output; rejects with everything it said when it fails. */
  async mustRun(argv: readonly string[]): Promise<string> {
    const { code, out, all } = await this.run(argv);
    if (code !== 0) throw new Error(`${argv.join(" ")}: exit code ${code}\n${all}`);
    return out;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#launcher, "exit");
    process.kill(Number(this.#init), "SIGKILL");
    await ended;
  }
}

/** Made once a checkout: a minute. */
async function bringImage(): Promise<void> {
  if (existsSync(IMAGE)) return;
  mkdirSync(KEPT, { recursive: true });
  const made = mkdtempSync(join(tmpdir(), "sluice-debootstrap-"));
  try {
    await mustRun(["debootstrap", "--variant=minbase", `--include=${INCLUDED}`, RELEASE, made, MIRROR], {
      withinMs: BUILD_WITHIN_MS,
    });
    await mustRun(["tar", "-cf", `${IMAGE}.new`, "-C", made, "."]);
    renameSync(`${IMAGE}.new`, IMAGE);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}
