/** What a recorder does to its file in each story of CRASH_POINTS, told so that the gap is met, and what must come of it. */
import { createHash, randomBytes } from "node:crypto";
import { open, rename, rm, writeFile } from "node:fs/promises";
import type { Story } from "../../../packages/core/src/testing/crash-points.ts";
import type { Case, Expected } from "../auditor/audit.ts";
import { keysWith, RequestQueue } from "../../../packages/redis-schema/src/index.ts";
import { call, listUploads } from "../auditor/bucket.ts";
import { hashFile } from "../auditor/audit.ts";
import { GrowingFile } from "../../../apps/worker/test/rig/growing-file.ts";
import { PART, type World } from "../rig/world.ts";

const TAIL = 12_345;
const FOREIGN = Buffer.from("an object of another program");
/** Where recorders keep the length they fill in at close. */
const HEADER_AT = 36;

/** What a renamed file's name ends with; its key stays. */
const RENAMED = ".renamed";

export interface Plot {
  env?: Readonly<Record<string, string>>;
  /** Before the worker starts, and while it runs. The file is held open meanwhile, so that it is not complete early. */
  play(world: World, path: string): Promise<void>;
  /** After the death in the gap, before the next start. */
  after?(world: World, path: string): Promise<void>;
  outcome:
    | "completed"
    | "failed"
    | "aborted"
    | "salvaged"
    | "replaced"
    | "renamed"
    | "deleted"
    | "nothing"
    | "described_beside";
  /** Uploads that are rightly kept. */
  openUploads?: number;
  /** Times the object is made, where it is more than one. */
  versions?: number;
  /** The object is made twice, and the stream that made the first one ends in this state. */
  sentAgain?: string;
}

export const PLOTS: Record<Story, Plot> = {
  grows: { play: (_, path) => write(path, 2 * PART + TAIL), outcome: "completed" },
  small: { play: (_, path) => write(path, 1000), outcome: "completed" },
  empty: { play: (_, path) => write(path, 0), outcome: "completed" },
  header_rewritten: {
    async play(world, path) {
      await using file = await GrowingFile.open(path);
      await file.append(2 * PART);
      await partsRecorded(world, 2);
      await rewriteHeader(path);
    },
    outcome: "completed",
  },
  grows_while_pending: {
    play: (_, path) => write(path, 2 * PART + TAIL),
    after: (_, path) => append(path, PART),
    outcome: "completed",
  },
  tail_outgrown: {
    play: (_, path) => write(path, 2 * PART + TAIL),
    after: (_, path) => append(path, PART),
    outcome: "completed",
  },
  safeguarded: {
    // Quiet for long enough only after the tail has gone up.
    env: { SLUICE_TAIL_SAFEGUARD: "1s", SLUICE_IDLE_TIMEOUT: "5s" },
    async play(world, path) {
      await write(path, 1000);
      await partsRecorded(world, 1, { orDead: true });
      await append(path, PART + TAIL);
    },
    outcome: "completed",
  },
  upload_removed: {
    async play(world, path) {
      await using file = await GrowingFile.open(path);
      await file.append(PART);
      await partsRecorded(world, 1);
      for (const { key, uploadId } of await listUploads(world.target)) {
        await call(world.target, "DELETE", key, { uploadId });
      }
      await file.append(PART + TAIL);
    },
    outcome: "completed",
  },
  replaced: {
    async play(world, path) {
      await using file = await GrowingFile.open(path);
      await file.append(PART);
      await partsRecorded(world, 1);
      await replace(path, PART + TAIL);
    },
    outcome: "replaced",
    openUploads: 1,
  },
  replaced_early: {
    async play(world, path) {
      await using file = await GrowingFile.open(path);
      await file.append(1000);
      await world.until(
        "the stream is opened",
        async () => (await world.records.redis.hlen("streams:by_path")) > 0,
        { everyMs: 20 },
      );
      await replace(path, 2 * TAIL);
    },
    outcome: "completed",
  },
  renamed: {
    async play(world, path) {
      await using file = await GrowingFile.open(path);
      await file.append(PART);
      await partsRecorded(world, 1);
      await rename(path, path + RENAMED);
      await file.append(TAIL);
    },
    outcome: "renamed",
  },
  removed_early: {
    async play(world, path) {
      await using file = await GrowingFile.open(path);
      await file.append(1000);
      await world.until(
        "the stream is opened",
        async () => (await world.records.redis.hlen("streams:by_path")) > 0,
        { everyMs: 20 },
      );
      await rm(path);
    },
    outcome: "nothing",
  },
  metadata_taken: {
    async play(world, path) {
      await call(world.target, "PUT", `${FILE}.metadata.json`, {}, FOREIGN);
      await write(path, TAIL);
    },
    outcome: "described_beside",
  },
  removed: {
    async play(world, path) {
      await using file = await GrowingFile.open(path);
      await file.append(2 * PART);
      await partsRecorded(world, 2);
      await rm(path);
    },
    outcome: "failed",
    openUploads: 1,
  },
  aborted: {
    async play(world, path) {
      await using file = await GrowingFile.open(path);
      await file.append(2 * PART);
      await partsRecorded(world, 2);
      await askToAbort(world);
    },
    outcome: "aborted",
  },
  salvaged: {
    async play(world, path) {
      await using file = await GrowingFile.open(path);
      await file.append(2 * PART);
      await partsRecorded(world, 2);
      GONE.set(path, await hashFile(path));
      await rm(path);
      await askToSalvage(world);
    },
    outcome: "salvaged",
  },
  deleted_after: {
    env: { SLUICE_AFTER_UPLOAD: "delete", SLUICE_AFTER_UPLOAD_DELAY: "0s" },
    play: (_, path) => write(path, 2 * PART + TAIL),
    outcome: "deleted",
  },
  extended: {
    async play(world, path) {
      await write(path, 2 * PART + TAIL);
      await world.until(
        "the object is stored and described",
        async () => (await call(world.target, "HEAD", `${FILE}.metadata.json`)).status === 200,
        { everyMs: 20 },
      );
      await using file = await GrowingFile.open(path);
      await rewriteHeader(path);
      await file.append(PART + TAIL);
    },
    outcome: "completed",
    versions: 2,
  },
  object_removed: {
    env: { SLUICE_AFTER_UPLOAD: "delete", SLUICE_AFTER_UPLOAD_DELAY: "2s" },
    async play(world, path) {
      await write(path, 1000);
      await world.until(
        "the object is stored and described",
        async () => (await call(world.target, "HEAD", `${FILE}.metadata.json`)).status === 200,
        { everyMs: 20 },
      );
      await call(world.target, "DELETE", FILE);
    },
    outcome: "deleted",
    sentAgain: "failed_verify_mismatch",
  },
};

export interface Ending {
  /** Nothing is left to do. */
  settled(world: World): Promise<void>;
  verdict(path: string, key: string): Pick<Case, "files" | "failed" | "foreign" | "openUploads">;
}

export function endingOf(plot: Plot, sha256: string | undefined): Ending {
  const openUploads = plot.openUploads ?? 0;
  const file = (path: string, key: string): Expected => ({
    path,
    key,
    ...(plot.outcome === "deleted" && sha256 !== undefined ? { sha256 } : {}),
    ...(plot.sentAgain === undefined ? {} : { versions: 2 }),
    ...(plot.versions === undefined ? {} : { versions: plot.versions }),
  });
  switch (plot.outcome) {
    case "completed":
      return {
        settled: (world) => world.settled([world.path(FILE)]),
        verdict: (path, key) => ({ files: [file(path, key)], openUploads }),
      };
    case "renamed":
      return {
        settled: (world) => world.settled([world.path(FILE) + RENAMED]),
        verdict: (path, key) => ({ files: [file(path + RENAMED, key)], openUploads }),
      };
    case "described_beside":
      return {
        settled: (world) => world.settled([world.path(FILE)]),
        verdict: (path, key) => ({
          files: [{ ...file(path, key), metadataKey: `${key}.metadata-2.json` }],
          foreign: { [`${key}.metadata.json`]: createHash("sha256").update(FOREIGN).digest("hex") },
          openUploads,
        }),
      };
    case "nothing":
      return {
        settled: (world) => nothingLeft(world),
        verdict: () => ({ files: [], openUploads }),
      };
    case "deleted":
      return {
        // A rescan takes the entry of a file that is gone.
        settled: (world) => over(world, "streams:completed"),
        verdict: (path, key) => ({
          files: [{ ...file(path, key), doneGone: true }],
          ...(plot.sentAgain === undefined ? {} : { failed: [{ path, statuses: [plot.sentAgain] }] }),
          openUploads,
        }),
      };
    case "replaced":
      return {
        settled: (world) => world.settled([world.path(FILE)]),
        verdict: (path, key) => ({
          files: [file(path, key)],
          failed: [{ path, statuses: ["failed_file_replaced", "failed_file_truncated"] }],
          openUploads,
        }),
      };
    case "aborted":
      return {
        settled: (world) => over(world, "streams:failed"),
        verdict: (path) => ({
          files: [],
          failed: [{ path, statuses: ["failed_aborted_by_operator"] }],
          openUploads,
        }),
      };
    case "salvaged":
      return {
        settled: (world) => over(world, "streams:completed"),
        verdict: (path, key) => {
          const sha = GONE.get(path);
          return {
            files: [{ ...file(path, key), doneGone: true, ...(sha === undefined ? {} : { sha256: sha }) }],
            openUploads,
          };
        },
      };
    case "failed":
      return {
        settled: (world) => over(world, "streams:failed"),
        verdict: (path) => ({
          files: [],
          failed: [{ path, statuses: ["failed_file_missing", "failed_file_missing_on_resume"] }],
          openUploads,
        }),
      };
  }
}

export const FILE = "take.mxf";

/** Of the file as it stands, so that it can be compared when it is gone. */
export async function shaOf(path: string): Promise<string | undefined> {
  try {
    return await hashFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function nothingLeft(world: World): Promise<void> {
  const { redis } = world.records;
  await world.until("no stream is live", async () => (await redis.hlen("streams:by_path")) === 0);
}

async function over(world: World, index: string): Promise<void> {
  const { redis } = world.records;
  await world.until(`no stream is live, and ${index} holds one`, async () => {
    const live = (await redis.zcard("streams:active")) + (await redis.zcard("streams:pending_completion"));
    return live === 0 && (await redis.zcard(index)) > 0;
  });
}

/** As the dashboard does. */
async function askToAbort(world: World): Promise<void> {
  const { redis } = world.records;
  const items = await redis.hvals("streams:by_path");
  const clock = { wallMs: () => Date.now() };
  await new RequestQueue({ redis, keys: keysWith(""), clock }).file({
    id: "chaos-abort",
    action: "abort",
    items,
    who: "chaos",
    filed_at_utc: new Date().toISOString(),
  });
}

/** What the files held that were deleted, by path. */
const GONE = new Map<string, string>();

/** Only a stream that has failed is salvaged while its source has a worker. */
async function askToSalvage(world: World): Promise<void> {
  const { redis } = world.records;
  const items = await world.until("the stream has failed", async () => {
    const ids = await redis.zrangebyscore("streams:failed", "-inf", "+inf");
    return ids.length > 0 && ids;
  });
  const clock = { wallMs: () => Date.now() };
  await new RequestQueue({ redis, keys: keysWith(""), clock }).file({
    id: "chaos-salvage",
    action: "salvage",
    items,
    who: "chaos",
    filed_at_utc: new Date().toISOString(),
  });
}

async function write(path: string, bytes: number): Promise<void> {
  await using file = await GrowingFile.open(path);
  await file.append(bytes);
}

const append = write;

async function rewriteHeader(path: string): Promise<void> {
  await using file = await open(path, "r+");
  await file.write(new Uint8Array(randomBytes(64)), 0, 64, HEADER_AT);
}

/** Another file takes the path in one step. */
async function replace(path: string, bytes: number): Promise<void> {
  // In the watch, under a name no watch takes for a stream.
  const other = `${path}~`;
  await writeFile(other, randomBytes(bytes));
  await rename(other, path);
}

/** `orDead`: or the worker is dead already. */
async function partsRecorded(world: World, count: number, { orDead = false } = {}): Promise<void> {
  await world.until(
    `${count} parts are in the checkpoint`,
    async () => {
      if (orDead && world.workers.at(-1)?.running === false) return true;
      const [id] = await world.records.redis.zrange("streams:active", "0", "0");
      return id !== undefined && (await world.records.redis.hlen(`stream:${id}:parts`)) >= count;
    },
    { everyMs: 20 },
  );
}
