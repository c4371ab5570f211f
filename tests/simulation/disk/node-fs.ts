/**
 * The file system's calls over the simulated volume, as Node gives them: so the worker's own walk, file source and tidier
 * run here, not a copy of them. Only paths below SIMULATED_ROOT, and what /proc says, are answered for a simulated process.
 */
import fs, { constants } from "node:fs";
import { currentProcess, type SimulatedProcess } from "../world/process.ts";
import { installFileSystem } from "../world/globals.ts";
import { DiskError, type Disk, type DiskNode } from "./disk.ts";

export const SIMULATED_ROOT = "/simulated";

/** Answers of procfs, the same for every process. */
const PROC: Record<string, string> = {
  "/proc/sys/kernel/random/boot_id": "simulated-boot\n",
  "/proc/self/mountinfo": "1 0 8:1 / / rw - ext4 /dev/simulated rw\n",
};

interface Mounted {
  disk: Disk;
  /** Chance of a call that takes a while, and how long at most. */
  slowness: number;
  slowestMs: number;
  /** Start time of a living process by its pid. */
  startOf(pid: number): string | undefined;
}

let world: Mounted | undefined;
const handles = new Map<number, { path: string; node: DiskNode; flags: number }>();
let descriptors = 1_000_000;

/** The world that simulated processes see from now on. */
export function mountWorld(mounted: Mounted): void {
  install();
  handles.clear();
  world = mounted;
}

let installed = false;

type Path = string | Buffer | URL;

function simulated(path: unknown): { process: SimulatedProcess; path: string } | undefined {
  const process = currentProcess();
  if (!process || !world) return undefined;
  const text = typeof path === "string" ? path : Buffer.isBuffer(path) ? path.toString("latin1") : undefined;
  if (text === undefined) return undefined;
  return text === SIMULATED_ROOT || text.startsWith(`${SIMULATED_ROOT}/`)
    ? { process, path: text.endsWith("/.") ? text.slice(0, -2) : text }
    : undefined;
}

function mounted(): Mounted {
  if (!world) throw new Error("no world is mounted");
  return world;
}

/** Most calls are answered at once; some take a while, so that others come in between. */
function ask<T>(process: SimulatedProcess, act: (disk: Disk) => T): Promise<T> {
  const { disk, slowness, slowestMs } = mounted();
  const { random } = process;
  const waitMs = random.chance(slowness) ? random.next() ** 3 * slowestMs : 0;
  return process.ask(() => act(disk), waitMs);
}

type Act = (disk: Disk, path: string, ...rest: never[]) => unknown;

function install(): void {
  if (installed) return;
  installed = true;
  const real = { ...fs };
  const realPromises = { ...fs.promises };

  /** A call of the promise interface whose first argument is a path. */
  const byPath = (name: keyof typeof realPromises, act: Act) => {
    const original = realPromises[name] as (...args: unknown[]) => Promise<unknown>;
    return async (first: unknown, ...rest: unknown[]): Promise<unknown> => {
      const at = simulated(first);
      if (!at) return await original(first, ...rest);
      return await ask(at.process, (disk) => act(disk, at.path, ...(rest as never[])));
    };
  };

  installFileSystem(
    {
      lstat(path: Path, options: unknown, answer: (error: Error | null, stats?: unknown) => void): void {
        const at = simulated(path);
        if (!at) return void Reflect.apply(real.lstat, fs, [path, options, answer]);
        ask(at.process, (disk) => statsOf(disk, lookAt(disk, at.path), true)).then(
          (stats) => answer(null, stats),
          answer,
        );
      },
      lstatSync(path: Path, options: { bigint?: boolean; throwIfNoEntry?: boolean }): unknown {
        // procfs keeps no birth times; what is asked here is whether the system invents them.
        if (currentProcess() && String(path).startsWith("/proc/")) return { birthtimeNs: 0n };
        return Reflect.apply(real.lstatSync, fs, [path, options]);
      },
      readFileSync(path: Path, ...rest: unknown[]): unknown {
        const text = currentProcess() ? procText(String(path)) : undefined;
        return text ?? Reflect.apply(real.readFileSync, fs, [path, ...rest]);
      },
      readlinkSync(path: Path, ...rest: unknown[]): unknown {
        const fd = currentProcess() && /^\/proc\/self\/fd\/(\d+)$/.exec(String(path))?.[1];
        const handle = fd ? handles.get(Number(fd)) : undefined;
        if (handle) return Buffer.from(handle.path, "latin1");
        return Reflect.apply(real.readlinkSync, fs, [path, ...rest]);
      },
    },
    {
      lstat: byPath("lstat", (disk, path, options?: { bigint?: boolean }) =>
        statsOf(disk, lookAt(disk, path), options?.bigint === true),
      ),
      stat: byPath("stat", (disk, path, options?: { bigint?: boolean }) =>
        statsOf(disk, lookAt(disk, path), options?.bigint === true),
      ),
      access: byPath("access", (disk, path) => void disk.at(path)),
      realpath: byPath("realpath", (disk, path) => {
        disk.at(path);
        return Buffer.from(path, "latin1");
      }),
      opendir: byPath("opendir", (disk, path) => directoryOf(disk, path)),
      readdir: byPath("readdir", (disk, path) => {
        if (disk.at(path).kind !== "directory") throw new DiskError("ENOTDIR", path);
        return disk.children(path).map((name) => Buffer.from(name, "latin1"));
      }),
      mkdir: byPath("mkdir", (disk, path, options?: { recursive?: boolean }) => {
        if (!options?.recursive) return disk.makeDirectory(path);
        let made = "";
        for (const part of path.split("/").slice(1)) {
          made += `/${part}`;
          if (!disk.has(made)) disk.makeDirectory(made);
        }
        return undefined;
      }),
      rmdir: byPath("rmdir", (disk, path) => disk.removeDirectory(path)),
      unlink: byPath("unlink", (disk, path) => disk.unlink(path)),
      rename: byPath("rename", (disk, path, to: Path) => disk.rename(path, textOf(to))),
      link: byPath("link", (disk, path, to: Path) => disk.link(path, textOf(to))),
      chmod: byPath("chmod", (disk, path, mode: number) => disk.changeMode(path, mode)),
      utimes: byPath("utimes", (disk, path, _atime: number, mtime: number) =>
        disk.setMtime(path, BigInt(Math.round(mtime * 1_000)) * 1_000_000n),
      ),
      open: byPath("open", (disk, path, flags: number | string = constants.O_RDONLY) =>
        openFile(disk, path, flags),
      ),
    },
  );
}

function textOf(path: Path): string {
  return Buffer.isBuffer(path) ? path.toString("latin1") : String(path);
}

function procText(path: string): string | undefined {
  const known = PROC[path];
  if (known !== undefined) return known;
  const pid = /^\/proc\/(\d+)\/stat$/.exec(path)?.[1];
  if (pid === undefined) return undefined;
  const started = mounted().startOf(Number(pid));
  if (started === undefined) throw new DiskError("ENOENT", path);
  return `${pid} (worker) S ${"0 ".repeat(18)}${started} 0`;
}

function lookAt(disk: Disk, path: string): DiskNode {
  const code = disk.denied.get(`look ${path}`);
  if (code !== undefined) throw new DiskError(code, path);
  return disk.at(path);
}

/** As both a stat and an entry of a listing answer. */
function kindsOf(kind: DiskNode["kind"]) {
  return {
    isFile: () => kind === "file",
    isDirectory: () => kind === "directory",
    isSymbolicLink: () => kind === "link",
    isFIFO: () => kind === "fifo",
    isSocket: () => false,
    isCharacterDevice: () => false,
    isBlockDevice: () => false,
  };
}

function statsOf(disk: Disk, node: DiskNode, big: boolean): unknown {
  const { kind, size, inode, mtimeNs, ctimeNs, birthNs, mode } = node;
  const kinds = kindsOf(kind);
  if (!big) return { ...kinds, size, ino: inode, mode, mtimeMs: Number(mtimeNs / 1_000_000n), atimeMs: 0 };
  return {
    ...kinds,
    size: BigInt(size),
    ino: BigInt(inode),
    dev: disk.device,
    mode: BigInt(mode),
    mtimeNs,
    ctimeNs,
    birthtimeNs: disk.character.birthTimes ? birthNs : 0n,
  };
}

function directoryOf(disk: Disk, path: string): AsyncIterable<unknown> {
  const code = disk.denied.get(path);
  if (code !== undefined) throw new DiskError(code, path);
  if (disk.at(path).kind !== "directory") throw new DiskError("ENOTDIR", path);
  const names = disk.children(path);
  return {
    async *[Symbol.asyncIterator]() {
      for (const name of names) {
        const below = `${path}/${name}`;
        // What went meanwhile may still be listed.
        const kind = disk.has(below) ? disk.at(below).kind : "file";
        yield {
          name: Buffer.from(name, "latin1"),
          ...kindsOf(kind),
        };
      }
    },
  };
}

function openFile(disk: Disk, path: string, flags: number | string): unknown {
  const exclusive = typeof flags === "string" && flags.startsWith("wx");
  if (exclusive) disk.create(path);
  const node = disk.at(path);
  const code = disk.denied.get(path);
  if (code !== undefined) throw new DiskError(code, path);
  const fd = (descriptors += 1);
  handles.set(fd, { path, node, flags: typeof flags === "number" ? flags : 0 });
  const process = currentProcess();
  if (!process) throw new Error("only a simulated process opens a simulated file");
  const mustBeThere = (): void => {
    if (!disk.mounted) throw new DiskError("ESTALE", path);
    const trouble = disk.denied.get(`read ${path}`);
    if (trouble !== undefined) throw new DiskError(trouble, path);
  };
  const close = async (): Promise<void> => void handles.delete(fd);
  return {
    fd,
    stat: (options?: { bigint?: boolean }) =>
      ask(process, () => {
        mustBeThere();
        return statsOf(disk, node, options?.bigint === true);
      }),
    read: (into: Uint8Array, offset: number, length: number, position: number) =>
      ask(process, () => {
        mustBeThere();
        const bytes = node.data.subarray(
          Math.min(position, node.size),
          Math.min(node.size, position + length),
        );
        into.set(bytes, offset);
        return { bytesRead: bytes.length };
      }),
    write: (bytes: Uint8Array, offset: number, length: number, position: number) =>
      ask(process, () => {
        disk.writeTo(node, position, bytes.subarray(offset, offset + length));
        return { bytesWritten: length };
      }),
    writeFile: (bytes: Uint8Array) => ask(process, () => disk.writeTo(node, node.size, bytes)),
    sync: () => ask(process, () => undefined),
    close,
    [Symbol.asyncDispose]: close,
  };
}
