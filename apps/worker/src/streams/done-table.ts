/**
 * Completed files by path, each as one string: a worker may know hundreds of thousands of them, and as an object of
 * fifteen fields each takes three times the memory. What nearly all have in common is kept once.
 */
import type { DoneEntry, ObjectRef } from "@sluice/core";

type Shared = Pick<DoneEntry, "s3_bucket" | "file_device" | "file_boot">;

/** No path, key or time contains it, and an entry of Redis that does is not read. */
const SEPARATOR = "\0";
/** Before the value of a field that may be absent. */
const PRESENT = "=";

export class DoneTable {
  readonly #packed = new Map<string, string>();
  readonly #shared: Shared[] = [];
  readonly #sharedAt = new Map<string, number>();

  has(path: string): boolean {
    return this.#packed.has(path);
  }

  get(path: string): DoneEntry | undefined {
    const packed = this.#packed.get(path);
    return packed === undefined ? undefined : this.#unpack(packed);
  }

  set(path: string, entry: DoneEntry): void {
    this.#packed.set(path, this.#pack(entry));
  }

  delete(path: string): void {
    this.#packed.delete(path);
  }

  clear(): void {
    this.#packed.clear();
  }

  paths(): IterableIterator<string> {
    return this.#packed.keys();
  }

  *entries(): Generator<[path: string, entry: DoneEntry]> {
    for (const [path, packed] of this.#packed) yield [path, this.#unpack(packed)];
  }

  /** Whether a file at another path than this one has the object. */
  keeps({ bucket, key }: ObjectRef, path: string): boolean {
    const beginnings = [...this.#shared.keys()]
      .filter((at) => this.#shared[at]?.s3_bucket === bucket)
      .map((at) => `${at}${SEPARATOR}${key}${SEPARATOR}`);
    for (const [other, packed] of this.#packed)
      if (other !== path && beginnings.some((beginning) => packed.startsWith(beginning))) return true;
    return false;
  }

  #pack(entry: DoneEntry): string {
    const shorter = entry.seen_shorter === undefined ? undefined : "";
    return [
      this.#indexOf(entry),
      entry.s3_key,
      entry.stream_id,
      entry.file_inode,
      optional(entry.file_birthtime_ns),
      entry.file_size,
      entry.file_mtime_ns,
      optional(entry.file_ctime_ns),
      optional(entry.etag),
      optional(entry.crc32),
      entry.completed_at_utc,
      optional(shorter),
      optional(entry.longest_pause_ms),
    ].join(SEPARATOR);
  }

  #unpack(packed: string): DoneEntry {
    const [
      at,
      key = "",
      id = "",
      inode = "",
      birth,
      size,
      mtime = "",
      ctime,
      etag,
      crc32,
      completed = "",
      shorter,
      pause,
    ] = packed.split(SEPARATOR);
    const shared = this.#shared[Number(at)];
    if (!shared) throw new Error("a completed file refers to nothing");
    return {
      stream_id: id,
      file_inode: inode,
      ...field("file_birthtime_ns", birth),
      ...shared,
      file_size: Number(size),
      file_mtime_ns: mtime,
      ...field("file_ctime_ns", ctime),
      s3_key: key,
      ...field("etag", etag),
      ...field("crc32", crc32),
      completed_at_utc: completed,
      ...(shorter ? { seen_shorter: true } : {}),
      ...(pause ? { longest_pause_ms: Number(pause.slice(PRESENT.length)) } : {}),
    };
  }

  #indexOf({ s3_bucket, file_device, file_boot }: DoneEntry): number {
    const name = [s3_bucket, optional(file_device), optional(file_boot)].join(SEPARATOR);
    const known = this.#sharedAt.get(name);
    if (known !== undefined) return known;
    const shared = {
      s3_bucket,
      ...(file_device === undefined ? {} : { file_device }),
      ...(file_boot === undefined ? {} : { file_boot }),
    };
    this.#sharedAt.set(name, this.#shared.push(shared) - 1);
    return this.#shared.length - 1;
  }
}

function optional(value: string | number | undefined): string {
  return value === undefined ? "" : `${PRESENT}${value}`;
}

function field<Name extends string>(name: Name, packed: string | undefined): Partial<Record<Name, string>> {
  return packed ? ({ [name]: packed.slice(PRESENT.length) } as Record<Name, string>) : {};
}
