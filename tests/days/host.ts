/** A recorder's machine: a clean Debian into which Sluice was installed by its archive and the guide's commands. */
import { deepStrictEqual as same } from "node:assert/strict";
import { closeSync, copyFileSync, mkdirSync, openSync, readdirSync, readFileSync } from "node:fs";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { blockUnder, commandsUnder } from "../archive/guide.ts";
import { CleanRoot, Machine } from "../archive/clean-root.ts";
import { mustRun } from "../compose/run-program.ts";

/** The recorder's own user, which the worker runs as. */
const USER = "recorder";
const UID = "1500";
export const RECORDINGS = "/var/recordings";
/** Watched too, and kept after the upload. */
export const KEPT = "/var/kept";
/** A small disk of its own, for the day on which it fills. */
export const SMALL = "/var/small";
const ARCHIVES = "/root";

/** What ffmpeg ends with after Ctrl-C. */
const INTERRUPTED = 255;

/** A row of `sluice ls --json`: the fields that are looked at here. */
export interface Row {
  id: string;
  status: string;
  original_path: string;
  bytes_sent?: number;
  s3_key?: string;
}

export class Host implements AsyncDisposable {
  readonly root: CleanRoot;
  #machine: Machine | undefined;
  readonly #recorders: ChildProcess[] = [];

  private constructor(root: CleanRoot) {
    this.root = root;
  }

  /** `name` is that of the machine: a worker takes its id from it. */
  static async make(name: string): Promise<Host> {
    const root = await CleanRoot.make();
    root.write("/etc/hostname", `${name}\n`);
    return new Host(root);
  }

  /** From the archive in its /root, by the guide's commands. */
  async install(): Promise<string> {
    return await this.root.mustRun(["sh", "-ec", `cd ${ARCHIVES}\n${commandsUnder("Install")}`]);
  }

  /** The archive and its checksum, from a machine that has it. */
  bringArchive(from: Host): void {
    for (const name of readdirSync(from.root.outside(ARCHIVES)))
      if (/^sluice-.*\.tar\.gz/.test(name))
        copyFileSync(from.root.outside(`${ARCHIVES}/${name}`), this.root.outside(`${ARCHIVES}/${name}`));
  }

  /** The recorder's user and its directories; with the guide's drop-in the worker runs as that user. */
  async prepareRecorder(): Promise<void> {
    // The same number on each host, as files that move from one to another need it.
    await this.root.mustRun(["useradd", "--uid", UID, "--no-create-home", USER]);
    await this.root.mustRun(["mkdir", "-p", RECORDINGS, KEPT, SMALL]);
    await this.root.mustRun(["chown", `${USER}:${USER}`, RECORDINGS, KEPT]);
    const dropIn = "/etc/systemd/system/sluice-worker.service.d";
    mkdirSync(this.root.outside(dropIn), { recursive: true });
    const text = blockUnder("Configure", "ini").replace(RECORDINGS, `${RECORDINGS} ${SMALL}`);
    this.root.write(`${dropIn}/override.conf`, text.replaceAll(/^ +/gm, ""));
  }

  /** Redis from Debian, as the guide says, on a port of its own because the network is the outer machine's. */
  async installRedis(port: number): Promise<void> {
    const quiet = { env: { DEBIAN_FRONTEND: "noninteractive" } };
    this.root.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n");
    await this.root.mustRun(["chmod", "0755", "/usr/sbin/policy-rc.d"]);
    const apt = ["apt-get", "-q", "-y", "--no-install-recommends"];
    await this.root.mustRun([...apt, "update"], quiet);
    await this.root.mustRun([...apt, "install", "redis-server"], quiet);
    const change = `s/^port .*/port ${port}/; s/^appendonly .*/appendonly yes/`;
    await this.root.mustRun(["sed", "-i", change, "/etc/redis/redis.conf"]);
  }

  /** `text` is its sluice.yaml; credentials are put in by the guide's commands. */
  async configure(text: string, secrets: Readonly<Record<string, string>>): Promise<void> {
    this.root.write("/etc/sluice/sluice.yaml", text);
    const commands = commandsUnder("Configure", /install -m 0600/);
    const filled = Object.entries(secrets).reduce(
      (said, [name, value]) => said.replace(`${name}=…`, `${name}=${value}`),
      commands,
    );
    const more = Object.entries(secrets)
      .filter(([name]) => !commands.includes(`${name}=`))
      .map(([name, value]) => `echo '${name}=${value}' >>/etc/sluice/worker.env`);
    await this.root.mustRun(["sh", "-ec", [filled, ...more].join("\n")]);
  }

  async boot(): Promise<void> {
    this.#machine = await Machine.boot(this.root);
  }

  get machine(): Machine {
    if (this.#machine === undefined) throw new Error("the host is not switched on");
    return this.#machine;
  }

  /** What is typed there; its standard output. With the worker's environment, as the guide has it. */
  async type(command: string): Promise<string> {
    return await this.machine.mustRun(["sh", "-ec", `set -a; . /etc/sluice/worker.env; set +a\n${command}`]);
  }

  async streams(view: string): Promise<Row[]> {
    const said = await this.type(`sluice ls ${view} --json`);
    return JSON.parse(said) as Row[];
  }

  async mainPid(service: string): Promise<string> {
    return await this.machine.mustRun(["systemctl", "show", "--value", "--property=MainPID", service]);
  }

  async journal(service: string): Promise<string> {
    return (await this.machine.run(["journalctl", "--no-pager", "-o", "cat", "-u", service])).all;
  }

  /**
   * A camera: ffmpeg writes an MKV in real time, about 3 MB a second of a picture that no codec makes smaller, and rewrites
   * its header when it is told to end. It is a process of this machine and of the recorder's user.
   */
  record(path: string): Recording {
    const noise = [
      "-f",
      "rawvideo",
      "-pix_fmt",
      "yuv420p",
      "-s",
      "320x240",
      "-r",
      "25",
      "-i",
      "/dev/urandom",
    ];
    const quiet = ["-hide_banner", "-loglevel", "error", "-nostdin", "-y"];
    const file = this.root.outside(path);
    const ffmpeg = ["ffmpeg", ...quiet, "-re", ...noise, "-c:v", "ffv1", file];
    const child = spawn(
      "nsenter",
      [
        `--target=${this.machine.init}`,
        "--pid",
        "--",
        "setpriv",
        `--reuid=${UID}`,
        `--regid=${UID}`,
        "--clear-groups",
        ...ffmpeg,
      ],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    this.#recorders.push(child);
    const ended = once(child, "exit");
    const finish = async (): Promise<void> => {
      const ffmpegs = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim();
      process.kill(Number(ffmpegs), "SIGINT");
      same((await ended)[0], INTERRUPTED, path);
    };
    return { path, file, finish };
  }

  /** As when the power fails: everything that runs there is gone at once. */
  async lose(): Promise<void> {
    await this.#machine?.[Symbol.asyncDispose]();
    this.#machine = undefined;
    for (const child of this.#recorders) child.kill("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lose();
    await this.root[Symbol.asyncDispose]();
  }
}

export interface Recording {
  /** On the host. */
  path: string;
  /** The same, as the outer machine sees it. */
  file: string;
  /** As Ctrl-C does: it writes the header anew, and closes the file. */
  finish: () => Promise<void>;
}

/** Keeps a file's bytes within reach while it is written, and after it was deleted. */
export class Witness implements Disposable {
  readonly #fd: number;

  constructor(file: string) {
    this.#fd = openSync(file, "r");
  }

  /** All that is in the file now. */
  bytes(): Buffer {
    return readFileSync(`/proc/self/fd/${this.#fd}`);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/** With times and owners, as a backup or `rsync -a` brings it. */
export async function copyAll(from: Host, to: Host, directory: string): Promise<void> {
  await mustRun(["cp", "-a", `${from.root.outside(directory)}/.`, to.root.outside(directory)]);
}
