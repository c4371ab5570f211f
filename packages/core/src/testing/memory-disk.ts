/**
 * A directory tree in memory that a test writes like a recorder does: append, rewrite in place, truncate, replace,
 * rename, delete, unmount. Every file has an inode and, unless switched off, a birth time; each change has its own time.
 */
import { MARKER_SUFFIX } from "../stream/temporary-names.ts";
import type { Clock } from "../ports/clock.ts";
import type { FileFacts } from "../stream/identity.ts";

export interface DiskFile {
  readonly inode: string;
  readonly birthtimeNs: string;
  data: Uint8Array;
  size: number;
  mtimeNs: bigint;
  ctimeNs: bigint;
  writer: { pid: number; command: string } | undefined;
}

export interface MemoryDiskOptions {
  clock: Pick<Clock, "wallMs">;
  /** Whether the file system keeps birth times. */
  birthtimes?: boolean;
  /** A freed inode number is given to the next file, as ext4 does. */
  reuseInodes?: boolean;
}

export class MemoryDisk {
  readonly #clock: Pick<Clock, "wallMs">;
  readonly #birthtimes: boolean;
  readonly #reuseInodes: boolean;
  readonly #nodes = new Map<string, DiskFile>();
  readonly #oddities = new Map<string, string>();
  readonly #freeInodes: string[] = [];
  #lastInode = 100;
  #lastNs = 0n;
  #mounted = true;
  #coarse = false;

  constructor(options: MemoryDiskOptions) {
    this.#clock = options.clock;
    this.#birthtimes = options.birthtimes ?? true;
    this.#reuseInodes = options.reuseInodes ?? false;
  }

  // What a writer does.

  append(path: string, bytes: Uint8Array): void {
    const node = this.#nodes.get(path) ?? this.#create(path);
    this.#put(node, node.size, bytes);
  }

  /** Bytes in place; past the end, the file grows. */
  rewrite(path: string, offset: number, bytes: Uint8Array): void {
    this.#put(this.#existing(path), offset, bytes);
  }

  truncate(path: string, size: number): void {
    const node = this.#existing(path);
    const kept = node.data.slice(0, Math.min(size, node.size));
    node.data = new Uint8Array(size);
    node.data.set(kept);
    node.size = size;
    this.#touch(node);
  }

  /** Another file takes the path, as an editor's atomic save does. */
  replace(path: string, bytes: Uint8Array): void {
    this.#free(path);
    this.append(path, bytes);
  }

  rename(from: string, to: string): void {
    const node = this.#existing(from);
    if (from === to) return;
    this.#free(to);
    this.#nodes.delete(from);
    this.#nodes.set(to, node);
    node.ctimeNs = this.#now();
  }

  delete(path: string): void {
    this.#existing(path);
    this.#free(path);
  }

  /** The file goes out of everybody's sight; the returned call brings the very same file back. */
  take(path: string): () => void {
    const node = this.#existing(path);
    this.#nodes.delete(path);
    return () => void this.#nodes.set(path, node);
  }

  /** mtime alone moves, the bytes stay. */
  touch(path: string): void {
    this.#touch(this.#existing(path));
  }

  /** As `touch -r` and tools that copy do; ctime cannot be set. */
  setMtime(path: string, mtimeNs: string): void {
    const node = this.#existing(path);
    node.mtimeNs = BigInt(mtimeNs);
    node.ctimeNs = this.#now();
  }

  /** ctime alone moves: chmod, a new hard link. */
  changeMode(path: string): void {
    this.#existing(path).ctimeNs = this.#now();
  }

  /** Writes or refreshes the file's marker. */
  mark(path: string): void {
    const marker = path + MARKER_SUFFIX;
    if (this.#nodes.has(marker)) this.touch(marker);
    else this.append(marker, new Uint8Array());
  }

  hold(path: string, writer = { pid: 4242, command: "recorder" }): void {
    this.#existing(path).writer = writer;
  }

  letGo(path: string): void {
    this.#existing(path).writer = undefined;
  }

  // What becomes of the volume.

  /** From now on times are whole seconds, as on ext3 or FAT. */
  coarseTimes(): void {
    this.#coarse = true;
  }

  unmount(): void {
    this.#mounted = false;
  }

  mount(): void {
    this.#mounted = true;
  }

  get mounted(): boolean {
    return this.#mounted;
  }

  /** The path holds something that is no regular file. */
  putOddity(path: string, what = "FIFO"): void {
    this.#free(path);
    this.#oddities.set(path, what);
  }

  // What is there.

  file(path: string): DiskFile | undefined {
    return this.#mounted ? this.#nodes.get(path) : undefined;
  }

  oddity(path: string): string | undefined {
    return this.#mounted ? this.#oddities.get(path) : undefined;
  }

  paths(): string[] {
    return [...this.#nodes.keys()].filter((path) => !path.endsWith(MARKER_SUFFIX)).toSorted();
  }

  /** Also those of a volume that is away. */
  allPaths(): string[] {
    return [...this.#nodes.keys()];
  }

  bytes(path: string): Uint8Array {
    const node = this.#existing(path);
    return node.data.slice(0, node.size);
  }

  facts(path: string): FileFacts {
    return this.factsOf(this.#existing(path));
  }

  pathOf(identity: Pick<FileFacts, "inode" | "birthtimeNs">): string | undefined {
    for (const [path, node] of this.#nodes) {
      const facts = this.factsOf(node);
      if (facts.inode === identity.inode && facts.birthtimeNs === identity.birthtimeNs) return path;
    }
    return undefined;
  }

  factsOf(node: DiskFile): FileFacts {
    return {
      size: node.size,
      inode: node.inode,
      device: "1",
      ...(this.#birthtimes ? { birthtimeNs: node.birthtimeNs } : {}),
      mtimeNs: node.mtimeNs.toString(),
      ctimeNs: node.ctimeNs.toString(),
    };
  }

  #create(path: string): DiskFile {
    const now = this.#now();
    const inode = (this.#reuseInodes ? this.#freeInodes.pop() : undefined) ?? String((this.#lastInode += 1));
    const node: DiskFile = {
      inode,
      birthtimeNs: now.toString(),
      data: new Uint8Array(),
      size: 0,
      mtimeNs: now,
      ctimeNs: now,
      writer: undefined,
    };
    this.#oddities.delete(path);
    this.#nodes.set(path, node);
    return node;
  }

  #put(node: DiskFile, offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    if (end > node.data.length) {
      const larger = new Uint8Array(Math.max(end, node.data.length * 2));
      larger.set(node.data.subarray(0, node.size));
      node.data = larger;
    }
    node.data.set(bytes, offset);
    node.size = Math.max(node.size, end);
    this.#touch(node);
  }

  #touch(node: DiskFile): void {
    node.mtimeNs = this.#now();
    node.ctimeNs = node.mtimeNs;
  }

  #free(path: string): void {
    const node = this.#nodes.get(path);
    if (!node) return;
    this.#nodes.delete(path);
    this.#freeInodes.push(node.inode);
  }

  #existing(path: string): DiskFile {
    const node = this.#nodes.get(path);
    if (!node) throw new Error(`no file at ${path}`);
    return node;
  }

  /** No two changes bear the same time, but within one second where times are whole seconds. */
  #now(): bigint {
    const wallNs = BigInt(Math.round(this.#clock.wallMs())) * 1_000_000n;
    if (this.#coarse) return (wallNs / 1_000_000_000n) * 1_000_000_000n;
    this.#lastNs = wallNs > this.#lastNs ? wallNs : this.#lastNs + 1n;
    return this.#lastNs;
  }
}
