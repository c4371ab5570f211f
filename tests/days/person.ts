/** Someone at a machine with Node and npm: an ordinary user, with a fresh clone in a directory whose name has a space. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../apps/worker/test/rig/until.ts";
import { mustRun, run, type Ran } from "../compose/run-program.ts";

const checkout = join(import.meta.dirname, "../..");
/** Nobody of this machine. */
const UID = "54321";
/** The first command brings everything. */
const WITHIN_MS = 15 * 60_000;
const END_WITHIN_MS = 60_000;
/** What pgrep ends with. */
const NO_PROCESS = 1;

export class Person implements AsyncDisposable {
  readonly #home: string;
  readonly clone: string;
  readonly #children: ChildProcess[] = [];
  /** What the programs that were started have said. */
  said = "";

  private constructor(home: string) {
    this.#home = home;
    this.clone = join(home, "my projects", "sluice");
  }

  static async withClone(): Promise<Person> {
    const home = mkdtempSync(join(tmpdir(), "sluice-person-"));
    const person = new Person(home);
    mkdirSync(join(home, "my projects"));
    await mustRun(["git", "clone", "-q", "--no-hardlinks", checkout, person.clone]);
    await mustRun(["chown", "-R", `${UID}:${UID}`, home]);
    await mustRun(["chmod", "-R", "u+rwX,go+rX", home]);
    return person;
  }

  /** In the clone. */
  async run(argv: readonly string[]): Promise<Ran> {
    return await run(as(argv), { cwd: this.clone, env: this.#env(), withinMs: WITHIN_MS });
  }

  /** Its standard output; rejects with what it said when it fails. */
  async mustRun(argv: readonly string[]): Promise<string> {
    return await mustRun(as(argv), { cwd: this.clone, env: this.#env(), withinMs: WITHIN_MS });
  }

  /** A program that runs until it is stopped, the leader of a process group of its own. */
  start(argv: readonly string[]): ChildProcess {
    const [program = "", ...args] = as(argv);
    const stdio = ["ignore", "pipe", "pipe"] as const;
    const child = spawn(program, args, {
      cwd: this.clone,
      env: this.#env(),
      detached: true,
      stdio: [...stdio],
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => (this.said += chunk.toString()));
    this.#children.push(child);
    return child;
  }

  /** Replaces text in a file of the clone; what is not there is an error. */
  edit(path: string, before: string, after: string): void {
    const text = readFileSync(join(this.clone, path), "utf8");
    if (!text.includes(before)) throw new Error(`${path} has no ${before}`);
    writeFileSync(join(this.clone, path), text.replace(before, after));
  }

  /** Everything that runs in this person's name, by SIGKILL at once: nobody else has this uid. */
  async killAll(): Promise<void> {
    await run(["pkill", "-KILL", "-U", UID]);
    await until("nothing of it runs", async () => (await run(["pgrep", "-U", UID])).code === NO_PROCESS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) await end(child);
    await this.killAll();
    rmSync(this.#home, { recursive: true, maxRetries: 5 });
  }

  /** How this machine reaches the registry, and nothing else: CI would install packages and try tests twice. */
  #env(): NodeJS.ProcessEnv {
    const taken = Object.entries(process.env).filter(([name]) => TAKEN.test(name));
    return { ...Object.fromEntries(taken), HOME: this.#home, SLUICE_WEB_PORT: "0", SLUICE_HTTP_PORT: "0" };
  }
}

const TAKEN =
  /^(?:PATH|LANG|TZ|npm_config_registry|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|.*_PROXY)$/i;

const as = (argv: readonly string[]): string[] => [
  "setpriv",
  `--reuid=${UID}`,
  `--regid=${UID}`,
  "--clear-groups",
  ...argv,
];

/** As Ctrl-C does, with everything in its process group. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, "exit");
  process.kill(-child.pid, "SIGTERM");
  const { pid } = child;
  const late = setTimeout(() => process.kill(-pid, "SIGKILL"), END_WITHIN_MS);
  await ended.finally(() => clearTimeout(late));
}
