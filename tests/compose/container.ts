/**
 * A container as a runtime would start it: the image's files mounted read-only, namespaces of its own for processes,
 * mounts and the host name, the image's user, no rights, and the entry point as PID 1.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../apps/worker/test/rig/until.ts";
import type { Image } from "./image.ts";

export interface ContainerOptions {
  hostname: string;
  env: Readonly<Record<string, string>>;
  /** Host directory → path in the container; writable there when its owner may. */
  volumes: Readonly<Record<string, string>>;
}

/** Of the user `node` in the base image. */
export const NODE_UID = 1000;

const START = `set -e
mount --make-rprivate /
mount --bind "$ROOT" "$ROOT"
for volume in $VOLUMES; do mount --bind "\${volume%%:*}" "$ROOT\${volume##*:}"; done
mount -t proc proc "$ROOT/proc"
mount -t tmpfs tmpfs "$ROOT/tmp"
mount --bind /dev "$ROOT/dev"
mount -o remount,bind,ro "$ROOT"
hostname "$HOST"
exec chroot --userspec=${NODE_UID}:${NODE_UID} "$ROOT" /usr/bin/setpriv --no-new-privs "$@"`;

export class Container implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #env: string[];
  readonly exited: Promise<number | null>;
  output = "";

  constructor(image: Image, { hostname, env, volumes }: ContainerOptions) {
    this.#env = [...image.env, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
    for (const path of Object.values(volumes)) mkdirSync(join(image.root, path), { recursive: true });
    const mounts = Object.entries(volumes).map(([from, to]) => `${from}:${to}`);
    const command = ["/usr/bin/env", "-i", ...this.#env, ...image.entrypoint, ...image.cmd];
    this.#child = spawn(
      "unshare",
      ["--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "sh", "-c", START, "sh", ...command],
      {
        env: {
          PATH: process.env["PATH"],
          ROOT: image.root,
          HOST: hostname,
          VOLUMES: mounts.join(" "),
        },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    }
    this.exited = once(this.#child, "close").then(([code]) => code as number | null);
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async said(text: string): Promise<void> {
    await until(`the container says "${text}"\n${this.output}`, () => {
      if (!this.running) throw new Error(`the container ended:\n${this.output}`);
      return this.output.includes(text);
    });
  }

  /** To PID 1 of the container. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.#pid, signal);
  }

  /** Runs a program inside, as the image's user; its exit code and output. */
  exec(...argv: string[]): { code: number | null; output: string } {
    const enter = ["--target", String(this.#pid), "--mount", "--pid", "--uts", "--root", "--wd"];
    const user = ["--setuid", String(NODE_UID), "--setgid", String(NODE_UID)];
    const done = spawnSync("nsenter", [...enter, ...user, "/usr/bin/env", "-i", ...this.#env, ...argv], {
      encoding: "utf8",
    });
    return { code: done.status, output: `${done.stdout}${done.stderr}` };
  }

  /** As the kernel shows them: real user id and effective capabilities of PID 1. */
  status(field: string): string {
    const line = new RegExp(`^${field}:\\s*(.*)$`, "m");
    return line.exec(readFileSync(`/proc/${this.#pid}/status`, "utf8"))?.[1] ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // PID 1 itself: its user changed, so that it does not die with the process that unshared.
    if (this.running) this.signal("SIGKILL");
    await this.exited;
  }

  get #pid(): number {
    const { pid } = this.#child;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return Number(children.split(" ")[0]);
  }
}
