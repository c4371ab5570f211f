/**
 * One volume with the character that real ones have: birth times or none, inode numbers that are given again at once,
 * coarse timestamps, names that lead to another file from one moment to the next. What writers do happens at once; what
 * was ever written is kept for the oracle.
 */

export type NodeKind = "file" | "directory" | "link" | "fifo";

export interface DiskNode {
  readonly inode: number;
  readonly birthNs: bigint;
  readonly kind: NodeKind;
  data: Uint8Array;
  size: number;
  mtimeNs: bigint;
  ctimeNs: bigint;
  mode: number;
  links: number;
  /** Processes that hold it open for writing. */
  readonly writers: Set<number>;
  /** Given at its making, never again: what the oracle knows a file by. */
  readonly serial: number;
  /** Where a link leads. */
  target: string;
}

export interface DiskCharacter {
  birthTimes: boolean;
  /** A freed number goes to the next file, as on ext4. */
  reusesInodes: boolean;
  /** Times are multiples of this, ns. */
  grainNs: number;
  hardLinks: boolean;
}

export class DiskError extends Error {
  readonly code: string;

  constructor(code: string, path: string) {
    // Most of them say that a marker is not there: the system's own have no stack either.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(`${code}: ${WORDS[code] ?? "failed"}, '${path}'`);
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
  }
}

const WORDS: Record<string, string> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EEXIST: "file already exists",
  ENOTEMPTY: "directory not empty",
  ENOSPC: "no space left on device",
  EIO: "i/o error",
};

export class Disk {
  readonly character: DiskCharacter;
  readonly #wallMs: () => number;
  readonly #names = new Map<string, DiskNode>();
  readonly #free: number[] = [];
  /** Reading fails with this code, by path. */
  readonly denied = new Map<string, string>();
  mounted = true;
  full = false;
  device = 0x801n;
  /** Something happened to an entry. */
  onEvent: (path: string) => void = () => undefined;
  /** For the timeline: one line for what was done to a name. */
  onDone: (what: string) => void = () => undefined;
  /** For the oracle: what was written where, or nothing where a file was cut. */
  onWritten: (node: DiskNode, offset: number, bytes: Uint8Array | undefined) => void = () => undefined;
  /** For the oracle: a name is gone; the node says how many it has left. */
  onRemoved: (path: string, node: DiskNode) => void = () => undefined;
  #inodes = 100;
  #serials = 0;
  #lastNs = 0n;

  constructor(character: DiskCharacter, wallMs: () => number) {
    this.character = character;
    this.#wallMs = wallMs;
  }

  // What a writer does.

  append(path: string, bytes: Uint8Array): DiskNode {
    const node = this.#names.get(path) ?? this.create(path);
    this.write(path, node.size, bytes);
    return node;
  }

  /** An empty file, where nothing is. */
  create(path: string): DiskNode {
    if (this.#names.has(path)) throw new DiskError("EEXIST", path);
    if (this.full) throw new DiskError("ENOSPC", path);
    const node = this.#make("file");
    this.#link(path, node);
    this.onDone(`create ${path} as file ${node.serial}, inode ${node.inode}`);
    this.onEvent(path);
    return node;
  }

  write(path: string, offset: number, bytes: Uint8Array): void {
    this.writeTo(this.at(path), offset, bytes);
    this.onEvent(path);
  }

  /** Through a descriptor, whatever has become of the name. */
  writeTo(node: DiskNode, offset: number, bytes: Uint8Array): void {
    if (this.full && offset + bytes.length > node.size) throw new DiskError("ENOSPC", "");
    const end = offset + bytes.length;
    if (end > node.data.length) {
      const larger = new Uint8Array(Math.max(end, node.data.length * 2));
      larger.set(node.data.subarray(0, node.size));
      node.data = larger;
    } else if (offset > node.size) node.data.fill(0, node.size, offset);
    node.data.set(bytes, offset);
    node.size = Math.max(node.size, end);
    this.touch(node);
    this.onDone(`write ${bytes.length} bytes at ${offset} of file ${node.serial}`);
    this.onWritten(node, offset, bytes);
  }

  truncate(path: string, size: number): void {
    const node = this.at(path);
    if (size > node.data.length) {
      const larger = new Uint8Array(size);
      larger.set(node.data.subarray(0, node.size));
      node.data = larger;
    } else if (size > node.size) node.data.fill(0, node.size, size);
    node.size = size;
    this.touch(node);
    this.onDone(`truncate ${path} to ${size}`);
    this.onWritten(node, 0, undefined);
    this.onEvent(path);
  }

  rename(from: string, to: string): void {
    const node = this.at(from);
    if (from === to) return;
    const there = this.#names.get(to);
    if (there === node) return;
    if (there?.kind === "directory" && this.children(to).length > 0) throw new DiskError("ENOTEMPTY", to);
    this.#parentOf(to);
    if (there) this.#unlink(to, there);
    this.#names.delete(from);
    this.#names.set(to, node);
    if (node.kind === "directory") {
      const inside = [...this.#names].filter(([path]) => path.startsWith(`${from}/`));
      for (const [path, one] of inside) {
        this.#names.delete(path);
        this.#names.set(to + path.slice(from.length), one);
      }
    }
    node.ctimeNs = this.#now();
    this.onDone(`rename ${from} to ${to}, file ${node.serial}`);
    for (const path of [from, to]) {
      this.#changedIn(path);
      this.onEvent(path);
    }
  }

  link(from: string, to: string): void {
    const node = this.at(from);
    if (!this.character.hardLinks) throw new DiskError("EPERM", to);
    if (this.#names.has(to)) throw new DiskError("EEXIST", to);
    this.#parentOf(to);
    node.links += 1;
    node.ctimeNs = this.#now();
    this.#link(to, node);
    this.onDone(`link ${from} as ${to}, file ${node.serial}`);
    this.onEvent(to);
  }

  unlink(path: string): void {
    const node = this.at(path);
    this.#names.delete(path);
    this.#unlink(path, node);
    this.#changedIn(path);
    this.onDone(`unlink ${path}, file ${node.serial}`);
    this.onEvent(path);
  }

  makeDirectory(path: string): void {
    if (this.#names.has(path)) throw new DiskError("EEXIST", path);
    this.#link(path, this.#make("directory"));
    this.onEvent(path);
  }

  removeDirectory(path: string): void {
    const node = this.at(path);
    if (this.children(path).length > 0) throw new DiskError("ENOTEMPTY", path);
    this.#names.delete(path);
    this.#unlink(path, node);
    this.#changedIn(path);
  }

  makeFifo(path: string): void {
    this.#link(path, this.#make("fifo"));
  }

  touch(node: DiskNode): void {
    node.mtimeNs = this.#now();
    node.ctimeNs = node.mtimeNs;
  }

  /** As `cp -p` and rsync do; ctime cannot be set. */
  setMtime(path: string, mtimeNs: bigint): void {
    const node = this.at(path);
    node.mtimeNs = mtimeNs;
    node.ctimeNs = this.#now();
    this.onDone(`set the mtime of ${path}, file ${node.serial}`);
    this.onEvent(path);
  }

  changeMode(path: string, mode: number): void {
    const node = this.at(path);
    node.mode = mode;
    node.ctimeNs = this.#now();
  }

  // What is there.

  /** Throws as the system does. */
  at(path: string): DiskNode {
    const node = this.mounted ? this.#names.get(path) : undefined;
    if (!node) throw new DiskError("ENOENT", path);
    return node;
  }

  has(path: string): boolean {
    return this.mounted && this.#names.has(path);
  }

  children(directory: string): string[] {
    const prefix = `${directory}/`;
    return [...this.#names.keys()]
      .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes("/"))
      .map((path) => path.slice(prefix.length));
  }

  /** Regular files, each under all its names. */
  files(): [path: string, node: DiskNode][] {
    return [...this.#names].filter(([, { kind }]) => kind === "file");
  }

  bytes(node: DiskNode): Uint8Array {
    return node.data.subarray(0, node.size);
  }

  #make(kind: NodeKind): DiskNode {
    const now = this.#now();
    const again = this.character.reusesInodes ? this.#free.pop() : undefined;
    return {
      inode: again ?? (this.#inodes += 1),
      birthNs: now,
      kind,
      data: new Uint8Array(),
      size: 0,
      mtimeNs: now,
      ctimeNs: now,
      mode: kind === "directory" ? 0o755 : 0o644,
      links: 1,
      writers: new Set(),
      serial: (this.#serials += 1),
      target: "",
    };
  }

  #link(path: string, node: DiskNode): void {
    this.#parentOf(path);
    this.#names.set(path, node);
    this.#changedIn(path);
  }

  #unlink(path: string, node: DiskNode): void {
    node.links -= 1;
    this.onRemoved(path, node);
    node.ctimeNs = this.#now();
    if (node.links === 0 && node.writers.size === 0) this.#free.push(node.inode);
  }

  #parentOf(path: string): DiskNode | undefined {
    const parent = path.slice(0, path.lastIndexOf("/"));
    // The root of the volume has none.
    if (parent === "") return undefined;
    return this.at(parent);
  }

  #changedIn(path: string): void {
    const parent = this.#names.get(path.slice(0, path.lastIndexOf("/")));
    if (parent) this.touch(parent);
  }

  /** No two changes bear the same time, but within one grain. */
  #now(): bigint {
    const wallNs = BigInt(Math.floor(this.#wallMs() * 1_000)) * 1_000n;
    const grainNs = BigInt(this.character.grainNs);
    if (grainNs > 1n) return (wallNs / grainNs) * grainNs;
    this.#lastNs = wallNs > this.#lastNs ? wallNs : this.#lastNs + 1n;
    return this.#lastNs;
  }
}
