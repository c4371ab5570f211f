/**
 * Images as buildah makes them without a daemon and without privileges of its own (chroot isolation). No image registry
 * is asked: a Debian made by debootstrap, with the Node that runs this, stands in for the base image under its name.
 */
import { execFile, execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const ENV = { ...process.env, STORAGE_DRIVER: "vfs", BUILDAH_ISOLATION: "chroot" };
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const SHOWN_CHARS = 3_000;
const MIRROR = "http://deb.debian.org/debian";
/** What a build needs to reach the package registry from here; mounted while building, no part of the image. */
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
const BUILD_MOUNTS = ["/etc/ssl/certs", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates"];

export interface Image {
  /** Where its files are mounted. */
  root: string;
  user: string;
  env: string[];
  entrypoint: string[];
  cmd: string[];
  remove(): Promise<void>;
}

/** The name every stage of our Dockerfiles begins with. */
export function baseImage(dockerfile: string): string {
  const names = [...readFileSync(dockerfile, "utf8").matchAll(/^FROM (\S+:\S+)/gm)].map(([, name]) => name);
  const [name] = names;
  if (name === undefined || names.some((other) => other !== name))
    throw new Error(`${dockerfile}: ${names.join()}`);
  return name;
}

export async function bringBase(name: string): Promise<void> {
  if (await buildah("images", "-q", name).catch(() => "")) return;
  const root = mkdtempSync(join(tmpdir(), "sluice-base-"));
  try {
    const include = "--include=ca-certificates";
    await run("debootstrap", ["--variant=minbase", include, "bookworm", root, MIRROR], {
      maxBuffer: MAX_OUTPUT_BYTES,
    });
    cpSync(realpathSync(process.execPath), join(root, "usr/local/bin/node"));
    cpSync(npmPackage(), join(root, "usr/local/lib/node_modules/npm"), { recursive: true });
    symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(root, "usr/local/bin/npm"));
    await run("chroot", [root, "groupadd", "--gid", "1000", "node"]);
    await run("chroot", [root, "useradd", "--uid", "1000", "--gid", "node", "--create-home", "node"]);
    const container = await buildah("from", "scratch");
    await buildah("add", container, root, "/");
    await buildah("config", "--cmd", "node", container);
    await buildah("commit", container, name);
    await buildah("rm", container);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Of the npm on PATH, which is not always beside its Node. */
function npmPackage(): string {
  const files = (process.env["PATH"] ?? "").split(":").map((dir) => join(dir, "npm"));
  const npm = files.find((file) => existsSync(file));
  if (npm === undefined) throw new Error("npm is not on PATH");
  return join(realpathSync(npm), "../..");
}

/** Rejects with the end of what the build said. */
export async function build(context: string, dockerfile: string, tag: string): Promise<Image> {
  const trust = mkdtempSync(join(tmpdir(), "sluice-build-"));
  writeFileSync(join(trust, "npmrc"), `cafile=${CERTIFICATES}\n`);
  const userconfig = execFileSync("npm", ["config", "get", "userconfig"], { encoding: "utf8" }).trim();
  const mounts = [
    [userconfig, "/root/.npmrc"],
    // A machine behind a proxy trusts certificates of its own.
    [join(trust, "npmrc"), "/usr/local/etc/npmrc"],
    ...BUILD_MOUNTS.map((path) => [path, path]),
  ]
    .filter(([from = ""]) => existsSync(from))
    .flatMap(([from, to]) => ["--volume", `${from}:${to}:ro`]);
  await buildah(
    "bud",
    "--layers",
    "--pull-never",
    "--format",
    "docker",
    ...mounts,
    "-f",
    dockerfile,
    "-t",
    tag,
    context,
  ).finally(() => rmSync(trust, { recursive: true }));
  const container = await buildah("from", "--pull-never", tag);
  const root = await buildah("mount", container);
  const described = JSON.parse(await buildah("inspect", "--type", "image", tag)) as Described;
  const { User = "", Env = [], Entrypoint = [], Cmd = [] } = described.Docker.config;
  return {
    root,
    user: User,
    env: Env,
    entrypoint: Entrypoint,
    cmd: Cmd,
    async remove() {
      await buildah("umount", container);
      await buildah("rm", container);
    },
  };
}

interface Described {
  Docker: { config: { User?: string; Env?: string[]; Entrypoint?: string[]; Cmd?: string[] } };
}

async function buildah(...args: string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn("buildah", args, { env: ENV, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    said = (said + chunk.toString()).slice(-SHOWN_CHARS);
  });
  child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-SHOWN_CHARS)));
  child.once("error", reject);
  child.once("close", (code) =>
    code === 0 ? resolve(out.trim()) : reject(new Error(`buildah ${args[0]} ended with ${code}\n${said}`)),
  );
  return await promise;
}
