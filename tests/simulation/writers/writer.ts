/**
 * A writer is a small program over the simulated volume: a generator that does something to files, then yields how many
 * milliseconds pass before it goes on. Adding one takes a file of its own and a line in `index.ts`.
 */
import { DiskError, type Disk, type DiskNode } from "../disk/disk.ts";
import type { Random } from "../world/random.ts";

export type Writer = (tools: WriterTools) => Generator<number, void>;

export interface WriterTools {
  /** Below the watch, without an extension: the writer's own. */
  readonly name: string;
  readonly disk: Disk;
  readonly random: Random;
  /** Bytes that no other write of the history has. */
  bytes(length: number): Uint8Array;
  /** Opens for writing: seen as an open writer until it is closed, which the end of the program does at the latest. */
  open(path: string): Held;
}

export interface Held {
  readonly node: DiskNode;
  append(bytes: Uint8Array): void;
  write(offset: number, bytes: Uint8Array): void;
  close(): void;
}

const POOL = 1 << 20;
/** Bytes of chance, made once. */
const pool = new Uint8Array(POOL);
for (let at = 0, word = 0x12345678; at < POOL; at += 1) {
  word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d) + at;
  pool[at] = word >>> 24;
}
const STAMP_EVERY = 4_096;

/** Each write has a stretch of the pool that begins elsewhere, and its number every 4 KiB: no two are alike. */
export function uniqueBytes(write: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let from = Math.imul(write, 0x9e3779b1) >>> 12;
  for (let at = 0; at < length; from = 0) {
    const some = pool.subarray(from, Math.min(POOL, from + length - at));
    bytes.set(some, at);
    at += some.length;
  }
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + 8 <= length; at += STAMP_EVERY) {
    view.setUint32(at, write);
    view.setUint32(at + 4, at);
  }
  return bytes;
}

/** Runs a writer until its end; a disk that refuses ends it, as it would end most programs. */
export function* perform(writer: Writer, tools: WriterTools): Generator<number, void> {
  const held = new Set<Held>();
  const own: WriterTools = {
    ...tools,
    open(path) {
      const one = tools.open(path);
      held.add(one);
      return one;
    },
  };
  try {
    yield* writer(own);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
  } finally {
    for (const one of held) one.close();
  }
}

export function openOn(disk: Disk, path: string, pid: number): Held {
  const node = disk.has(path) ? disk.at(path) : disk.create(path);
  node.writers.add(pid);
  const changed = (): void => disk.onEvent(path);
  return {
    node,
    append(bytes) {
      disk.writeTo(node, node.size, bytes);
      changed();
    },
    write(offset, bytes) {
      disk.writeTo(node, offset, bytes);
      changed();
    },
    close: () => void node.writers.delete(pid),
  };
}
