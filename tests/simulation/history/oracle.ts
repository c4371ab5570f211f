/**
 * Knows every byte that was ever written and when, and shares no code with the product: it watches the volume and the
 * bucket, and says what must never have happened.
 *
 *   1 nothing lost      each file that stands at the end is the bytes of one object
 *   2 nothing mixed     each object ever stored is one file, as it stood at one moment
 *   3 nothing foreign   other programs' objects and uploads are as they were
 *   4 local data        a worker removes a file only while its object stands in the bucket
 *   5 nothing stuck     at the end no stream is live, no upload of ours is open, no leftover lies about
 *   6 bounded cost    nothing is sent again to a store that has said that it holds it
 *   7 true words        what is known of a completed file is what its object holds
 */
import { crc32 } from "node:zlib";
import type { Disk, DiskNode } from "../disk/disk.ts";
import { currentProcess } from "../world/process.ts";
import type { Reply } from "../redis/commands.ts";
import type { Stored } from "../store/store.ts";
import { BUCKET, OTHER_ROOT, ROOT } from "../world/roots.ts";
import type { Asked, World } from "../world/world.ts";

interface Known {
  /** As it stood after each change: size and CRC32 in one text. */
  versions: Set<string>;
  /** Of the bytes up to `upTo`, to continue from when it grows. */
  crc: number;
  upTo: number;
}

/** Of one worker in ten seconds: its lease, its report, its place in the queues; roots, markers, and a walk. */
const QUIET_COMMANDS = 60;
const QUIET_LOOKS = 30;
const QUIET_LOOKS_PER_FILE = 4;

const FOREIGN_KEY = "foreign.bin";
const FOREIGN_BYTES = new Uint8Array([9, 9, 9]);

export class Oracle {
  readonly violations: string[] = [];
  /** Then an open upload whose parts differ from the file by now is nobody's: it is shown, and never aborted by itself. */
  redisLost = false;
  /** Listings lagged: what a lost Create opened was not found when it was looked for, and is shown as an orphan later. */
  listedLate = false;
  /** A salvage was asked for: an object may hold the first bytes of a file alone. */
  mayBePartial = false;
  /** By requests that were given up for lost: of which stream, and whether it had been sealed already. */
  readonly #openedLate = new Map<string, { streamId: string; sealed: boolean }>();
  /** The object that each stream may replace: it stood in a file when the stream opened an upload. */
  readonly #mayReplace = new Map<string, Uint8Array>();
  readonly #world: World;
  readonly #known = new Map<DiskNode, Known>();

  constructor(world: World) {
    this.#world = world;
    const { disk, store } = world;
    store.bucket.putForeign(BUCKET, FOREIGN_KEY, FOREIGN_BYTES);
    disk.onWritten = (node, offset, bytes) => this.#written(node, offset, bytes);
    disk.onRemoved = (path, node) => this.#removed(path, node);
    store.bucket.onStored = (stored) => this.#stored(stored);
    store.onNeedless = (uploadId, what) => {
      if (!this.#isShared(uploadId)) this.#say(`6: ${what}`);
    };
    store.bucket.onOpened = (streamId, key) => {
      const object = store.bucket.object(BUCKET, key);
      // What a live file's writer changes after the comparison is repaired, not judged again.
      if (object && disk.files().some(([, node]) => isExtended(object.bytes, disk.bytes(node))))
        this.#mayReplace.set(streamId, object.bytes);
    };
    store.onLateUpload = (uploadId, streamId) => {
      this.#openedLate.set(uploadId, { streamId, sealed: !this.#isSending(streamId) });
    };
  }

  #say(violation: string): void {
    this.#world.say(`VIOLATION ${violation}`);
    this.violations.push(violation);
  }

  /** `bytes`: what was written at `offset`; undefined: it was cut. */
  #written(node: DiskNode, offset: number, bytes: Uint8Array | undefined): void {
    let known = this.#known.get(node);
    if (!known) {
      known = { versions: new Set(), crc: 0, upTo: 0 };
      this.#known.set(node, known);
    }
    const grew = bytes !== undefined && offset === known.upTo && offset + bytes.length === node.size;
    known.crc = grew ? crc32(bytes, known.crc) : crc32(node.data.subarray(0, node.size));
    known.upTo = node.size;
    known.versions.add(`${node.size}:${known.crc}`);
  }

  #removed(path: string, node: DiskNode): void {
    const process = currentProcess();
    // A writer's own doing, or a name among several.
    if (!process || node.kind !== "file" || node.links > 0) return;
    if (path.includes("/.sluice-copy-") || node.size === 0) return;
    // Where writers cannot be seen the settings may say that files go all the same.
    if (node.writers.size > 0 && this.#world.writersSeen)
      this.#say(`4: ${process.name} removed ${path} under its writer`);
    if (!this.#objectOf(node)) this.#say(`4: ${process.name} removed ${path}, and no object holds its bytes`);
  }

  #stored({ key, bytes, metadata, before, uploadId }: Stored): void {
    if (key.endsWith(".metadata.json")) return;
    const streamId = metadata["sluice-stream-id"];
    if (streamId === undefined) return;
    const stood = uploadId !== undefined && this.#mayReplace.get(streamId) === before;
    if (before && this.#world.keepsBoth && !stood && !isExtended(before, bytes))
      this.#say(`1: the object ${key} (${before.length} bytes) was replaced by one that does not extend it`);
    const version = `${bytes.length}:${crc32(bytes)}`;
    for (const { versions } of this.#known.values()) if (versions.has(version)) return;
    const isPart = (node: DiskNode): boolean => isExtended(bytes, node.data);
    if (this.mayBePartial && [...this.#known.keys()].some(isPart)) return;
    if (bytes.length > 0)
      this.#say(`2: the object ${key} (${bytes.length} bytes) is no file as it ever stood`);
  }

  #objectOf(node: DiskNode): string | undefined {
    const { store } = this.#world;
    const { size } = node;
    const crc = this.#known.get(node)?.crc ?? 0;
    for (const key of store.bucket.keys()) {
      const object = store.bucket.object(BUCKET, key);
      if (object?.bytes.length === size && object.crc === crc) return key;
    }
    return undefined;
  }

  /** What is still to be done. Empty: the world is at rest, and everything is where it belongs. */
  open(): string[] {
    const { disk, store, redis } = this.#world;
    const left: string[] = [];
    for (const [path, node] of disk.files()) {
      if (path.includes("/.sluice-tidy-")) left.push(`5: ${path} lies hidden`);
      if (!isStream(disk, path)) continue;
      if (!this.#objectOf(node)) left.push(`1: ${path} (${node.size} bytes) is in no object`);
    }
    const state = redis.database;
    for (const index of ["active", "pending_completion"]) {
      const ids = state.execute(["ZRANGE", `streams:${index}`, "0", "-1"]);
      if (!Array.isArray(ids)) continue;
      for (const id of ids.filter((one) => typeof one === "string")) {
        const meta = state.execute(["HMGET", `stream:${id}:meta`, "original_path", "status", "waiting_for"]);
        const [path, status, waiting] = Array.isArray(meta) ? meta.map(String) : [];
        // Its file may bear a temporary name for ever.
        if (path !== undefined && disk.has(path) && !isStream(disk, path)) continue;
        // An hour is a reason that is true: a file that was recognised in the store is not tidied before.
        if (waiting?.includes('"for":"tidy"')) continue;
        if (this.#allAreGone(id, waiting)) continue;
        left.push(`5: stream ${id} of ${path} is ${status}: ${waiting}`);
      }
    }
    left.push(...this.#misplaced(), ...this.#untrueEntries());
    for (const [name, { worker }] of this.#world.workers)
      for (const fault of worker.failing) left.push(`5: ${name} says: ${fault}`);
    if (state.execute(["XLEN", "requests"]) !== 0) left.push("5: a request is not answered");
    const kept = this.#keptUploads();
    const isJudged = !this.redisLost && !this.listedLate;
    for (const { uploadId, key } of store.bucket.uploads())
      if (isJudged && !kept.has(uploadId) && !this.#isOrphan(uploadId))
        left.push(`5: upload ${uploadId} of ${key} is open, and no stream owns it`);
    return left;
  }

  /**
   * Two or more live files are missing and none is left: the streams wait, visibly, until an abort or a file ends that
   * (contract §3). A playlist whose segments are removed comes there, and so does a worker that slept while Redis was
   * emptied and others sent and tidied its files: what it writes back names uploads that nobody may end by himself.
   */
  #allAreGone(id: string, waiting: string | undefined): boolean {
    const gone = /"detail":"all (\d+) of its live files are gone at once"/.exec(waiting ?? "");
    return Number(gone?.[1]) >= 2 && !this.#isSomewhere(`stream:${id}:meta`);
  }

  /** No stream is live. */
  nothingWaits(): boolean {
    const { database } = this.#world.redis;
    return ["active", "pending_completion"].every(
      (index) => database.execute(["ZCARD", `streams:${index}`]) === 0,
    );
  }

  /** In ten seconds in which nothing changed. */
  quiet(before: Asked, after: Asked): void {
    const workers = this.#world.workers.size;
    const files = this.#world.disk.files().length;
    const most = {
      store: 0,
      redis: workers * QUIET_COMMANDS,
      disk: workers * (QUIET_LOOKS + files * QUIET_LOOKS_PER_FILE),
    };
    for (const what of ["store", "redis", "disk"] as const) {
      const asked = after[what] - before[what];
      if (asked > most[what])
        this.#say(
          `6: while nothing changed the ${what} was asked ${asked} times, at most ${most[what]} are due`,
        );
    }
  }

  /** Completed files whose entry names an object that is not there, or holds something else. */
  #untrueEntries(): string[] {
    const { redis, store } = this.#world;
    const flat = textsOf(redis.database.execute(["HGETALL", "files:done"]));
    return flat.flatMap((field, at) => {
      if (at % 2 === 1) return [];
      const entry = JSON.parse(flat[at + 1] ?? "{}") as {
        s3_key?: string;
        file_size?: number;
        crc32?: string;
      };
      const object = store.bucket.object(BUCKET, entry.s3_key ?? "");
      const crc = Buffer.alloc(4);
      crc.writeUInt32BE(object?.crc ?? 0);
      const isTrue =
        object?.bytes.length === entry.file_size &&
        (entry.crc32 === undefined || entry.crc32 === crc.toString("base64"));
      // Its file is in a stream again, whose entry replaces this one; one that was recognised waits an hour for that.
      const isLive = redis.database.execute(["HEXISTS", "streams:by_path", field]) === 1;
      return isTrue || isLive
        ? []
        : [`7: ${field} is said to be ${entry.s3_key}, which is another object or none`];
    });
  }

  /** Streams that are in no index, in several, or have failed while their file is there. */
  #misplaced(): string[] {
    const { disk, redis } = this.#world;
    const { database } = redis;
    return database.keys().flatMap((key) => {
      const id = /^stream:(.*):meta$/.exec(key)?.[1];
      if (id === undefined) return [];
      const indexes = INDEXES.filter(
        (index) => database.execute(["ZSCORE", `streams:${index}`, id]) !== null,
      );
      if (indexes.length !== 1)
        return [`5: stream ${id} is in ${indexes.length} indexes: ${indexes.join(", ")}`];
      if (indexes[0] !== "failed") return [];
      const fields = ["original_path", "status", "superseded_by", "failure_detail"];
      const [path = "", status, supersededBy, detail] = textsOf(database.execute(["HMGET", key, ...fields]));
      if (supersededBy !== "" || !disk.has(path)) return [];
      // Another file may bear its name by now.
      if (status?.includes("file_missing") && !this.#isSomewhere(key)) return [];
      // It could not be read for so long; whoever mends that retries it.
      if (status === "failed_unreadable_file") return [];
      return [`5: stream ${id} of ${path} is ${status}: ${detail}`];
    });
  }

  /** Whether the file of a stream's record is in a watch. */
  #isSomewhere(key: string): boolean {
    const { disk, redis } = this.#world;
    const [inode, birth] = textsOf(redis.database.execute(["HMGET", key, "file_inode", "file_birthtime_ns"]));
    return disk.files().some(([path, node]) => {
      const same = String(node.inode) === inode;
      const born = !disk.character.birthTimes || String(node.birthNs) === birth;
      return same && born && isStream(disk, path);
    });
  }

  /**
   * Known, and not mended: Redis was emptied while the owner of a stream slept, another worker opened a new stream for the file, found the
   * upload and slept in turn; the first one claims that stream, and writes its own back beside it. Both send until one of
   * them completes the object, which the other recognises.
   */
  #isShared(uploadId: string): boolean {
    const { database } = this.#world.redis;
    const metas = database.keys().filter((key) => /^stream:.*:meta$/.test(key));
    const held = metas.filter((key) => database.execute(["HGET", key, "s3_upload_id"]) === uploadId);
    return this.redisLost && held.length > 1;
  }

  /** At the very end. */
  last(): void {
    for (const left of this.open()) this.#say(left);
    const foreign = this.#world.store.bucket.object(BUCKET, FOREIGN_KEY);
    if (!foreign || Buffer.compare(foreign.bytes, FOREIGN_BYTES) !== 0)
      this.#say("3: another program's object was touched");
    for (const [name, { worker }] of this.#world.workers) {
      if (worker.supervisor.corrections > 0) this.#say(`5: ${name} had to correct its table of paths`);
    }
    for (const fault of this.#world.faults) this.#say(`a worker said: ${fault}`);
  }

  /**
   * What a lost Create opens is looked for when its stream is sealed. Where that is over, or never comes (its file bears a
   * temporary name, or is gone), it is shown as an orphan.
   */
  #isOrphan(uploadId: string): boolean {
    const late = this.#openedLate.get(uploadId);
    if (!late) return false;
    const status = this.#world.redis.database.execute(["HGET", `stream:${late.streamId}:meta`, "status"]);
    return late.sealed || status !== "completed";
  }

  /** Whether the stream has yet to complete its object. */
  #isSending(id: string): boolean {
    const status = this.#world.redis.database.execute(["HGET", `stream:${id}:meta`, "status"]);
    return status === "opening" || status === "processing" || status === "pending_completion";
  }

  /** Of streams that have failed, or wait for a file under a temporary name. */
  #keptUploads(): Set<string> {
    const { database } = this.#world.redis;
    const ids = database
      .keys()
      .filter((key) => /^stream:.*:meta$/.test(key))
      .map((key) => database.execute(["HGET", key, "s3_upload_id"]));
    return new Set(ids.filter((id) => typeof id === "string"));
  }
}

/** Of a list; "" where there is nothing. */
function textsOf(reply: Reply): string[] {
  return Array.isArray(reply) ? reply.map((one) => (typeof one === "string" ? one : "")) : [];
}

const INDEXES = ["active", "pending_completion", "failed", "completed"];

/** At least half of the bytes stand where they stood. Room that was taken and never filled does not count. */
function isExtended(before: Uint8Array, now: Uint8Array): boolean {
  let same = 0;
  let counted = 0;
  for (let at = 0; at < before.length; at += 1) {
    if (before[at] === 0) continue;
    counted += 1;
    if (before[at] === now[at]) same += 1;
  }
  return same * 2 >= counted;
}

const TEMPORARY = /\.(part|partial|tmp|crdownload|filepart|!qB)$/;

/** A file that must be an object in the end. */
function isStream(disk: Disk, path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (![ROOT, OTHER_ROOT].some((root) => path.startsWith(`${root}/`)) || path.includes("/.")) return false;
  if (name.endsWith(".done") || TEMPORARY.test(name)) return false;
  // An empty file beside a temporary name of it keeps the name, no more.
  const isPlaceholder =
    disk.at(path).size === 0 &&
    [".part", ".crdownload", ".filepart"].some((suffix) => disk.has(path + suffix));
  return !isPlaceholder;
}
