/** A Debian with nothing but its required packages, to install the archive into: no Node, no npm, no systemd, no Redis. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mustRun, run, type Ran } from "../compose/run-program.ts";

const MIRROR = "http://deb.debian.org/debian";
const RELEASE = "bookworm";
const KEPT = join(import.meta.dirname, "../../.sluice/archive");
const IMAGE = join(KEPT, `debian-${RELEASE}.tar`);
const BUILD_WITHIN_MS = 10 * 60_000;
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
    const variables = Object.entries({ PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", ...env });
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

/** Made once a checkout: a minute. */
async function bringImage(): Promise<void> {
  if (existsSync(IMAGE)) return;
  mkdirSync(KEPT, { recursive: true });
  const made = mkdtempSync(join(tmpdir(), "sluice-debootstrap-"));
  try {
    await mustRun(["debootstrap", "--variant=minbase", RELEASE, made, MIRROR], {
      withinMs: BUILD_WITHIN_MS,
    });
    await mustRun(["tar", "-cf", `${IMAGE}.new`, "-C", made, "."]);
    renameSync(`${IMAGE}.new`, IMAGE);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}
