/** Every gap of CRASH_POINTS: the worker dies there, the next one goes on from the checkpoint, and nothing shows. */
import { describe, expect, it } from "vitest";
import { quickDigests } from "../../test/node-digests.ts";
import type { Failpoint } from "../failpoints.ts";
import { metadataKey } from "../object/object-key.ts";
import { audit } from "../testing/audit.ts";
import { CRASH_POINTS, type CrashPoint, type Story } from "../testing/crash-points.ts";
import { BUCKET, PART, ROOT, sampleBytes } from "../testing/test-values.ts";
import { World } from "../testing/world.ts";

/** What happens to the file, and when: at the start, or when a gap is reached for the nth time by any worker. */
interface Plot {
  begin(world: World, path: string): void;
  turn?: { at: Failpoint; nth: number; act(world: World, path: string): void };
  /** What is asked of the worker: of the next ones too, until it is done. */
  asked?: (world: World) => void;
  expected?: "failed" | "nothing";
  /** Streams of the file that complete; one where it is not said. */
  completed?: number;
  /** Times the object is rightly made. */
  versions?: number;
}

/** Watches that delete completed files. */
const DELETES: ReadonlySet<Story> = new Set<Story>(["deleted_after", "object_removed"]);

const grow = (bytes: number) => (world: World, path: string) =>
  world.disk.append(path, sampleBytes(bytes, 1));
const more = (world: World, path: string): void => world.disk.append(path, sampleBytes(PART + 99, 2));

function abort(world: World): void {
  void world.workers.at(-1)?.processors.get("stream0001")?.abort();
}

const PLOTS: Record<Story, Plot> = {
  grows: { begin: grow(2 * PART + 1234) },
  small: { begin: grow(4321) },
  empty: { begin: grow(0) },
  header_rewritten: {
    begin: grow(2 * PART),
    turn: {
      at: "part_recorded",
      nth: 2,
      act: (world, path) => world.disk.rewrite(path, 36, new Uint8Array([1, 2, 3, 4])),
    },
  },
  grows_while_pending: { begin: grow(2 * PART + 1234), turn: { at: "settled", nth: 1, act: more } },
  tail_outgrown: { begin: grow(2 * PART + 1234), turn: { at: "part_acknowledged", nth: 3, act: more } },
  safeguarded: { begin: grow(1234), turn: { at: "part_recorded", nth: 1, act: more } },
  upload_removed: {
    begin: grow(2 * PART + 1234),
    turn: {
      at: "part_recorded",
      nth: 1,
      act: (world) => world.store.uploads().forEach(({ uploadId }) => world.store.dropUpload(uploadId)),
    },
  },
  replaced: {
    begin: grow(PART),
    turn: {
      at: "part_recorded",
      nth: 1,
      act: (world, path) => world.disk.replace(path, sampleBytes(PART + 55, 3)),
    },
  },
  replaced_early: {
    begin: grow(1000),
    turn: {
      at: "stream_opened",
      nth: 1,
      act: (world, path) => world.disk.replace(path, sampleBytes(2000, 3)),
    },
  },
  renamed: {
    begin: grow(PART + 77),
    turn: {
      at: "part_recorded",
      nth: 1,
      act: (world, path) => world.disk.rename(path, world.path("renamed.bin")),
    },
  },
  removed_early: {
    begin: grow(1000),
    turn: { at: "stream_opened", nth: 1, act: (world, path) => world.disk.delete(path) },
    expected: "nothing",
  },
  metadata_taken: {
    begin(world, path) {
      world.store.putForeign(BUCKET, metadataKey("a.bin"), sampleBytes(5, 5));
      grow(4321)(world, path);
    },
  },
  removed: {
    begin: grow(2 * PART),
    turn: { at: "part_recorded", nth: 2, act: (world, path) => world.disk.delete(path) },
    expected: "failed",
  },
  salvaged: {
    begin(world, path) {
      world.salvageAsked = true;
      grow(2 * PART)(world, path);
    },
    turn: { at: "part_recorded", nth: 2, act: (world, path) => world.disk.delete(path) },
  },
  aborted: {
    begin: grow(2 * PART),
    turn: { at: "part_recorded", nth: 2, act: (world) => abort(world) },
    asked: (world) => abort(world),
    expected: "failed",
  },
  deleted_after: { begin: grow(2 * PART + 1234) },
  extended: {
    // Of two parts that can be copied, the first differs.
    begin: grow(2 * PART + 1234),
    turn: {
      at: "completed",
      nth: 1,
      act(world, path) {
        more(world, path);
        world.disk.rewrite(path, 36, new Uint8Array([1, 2, 3, 4]));
      },
    },
    completed: 2,
    versions: 2,
  },
  object_removed: {
    begin: grow(4321),
    turn: { at: "described", nth: 1, act: (world) => world.store.deleteObject(BUCKET, "a.bin") },
    versions: 2,
  },
};

/** The tail goes up before the file has been quiet for long enough. */
const SAFEGUARDED: ReadonlySet<Story> = new Set<Story>(["safeguarded"]);
const WINDOW_MS = 2_000;

/** Paths on disk in the end, where that is not the file's first one alone. */
const LEFT: Partial<Record<Story, string[]>> = {
  deleted_after: [],
  object_removed: [],
  salvaged: [],
  renamed: [`${ROOT}/renamed.bin`],
};

/** A death that comes with the loss of the last write, or is followed by others during the recovery. */
const DEATHS = [
  { how: "killed", loses: false, again: [] },
  { how: "killed, and Redis loses its last write", loses: true, again: [] },
  { how: "killed, and again in the first gap of the recovery", loses: false, again: [1] },
  { how: "killed, and again in the third gap and the sixth", loses: false, again: [3, 6] },
] as const;

/** Requests take time, so that others are under way when the worker dies. */
const storeDelayMs = (): number => 5;

interface Run {
  world: World;
  path: string;
  died: boolean;
}

async function live(point: CrashPoint, death: (typeof DEATHS)[number]): Promise<Run> {
  const plot = PLOTS[point.story];
  const world = new World({
    digests: quickDigests,
    ...(DELETES.has(point.story) ? { rules: { afterUpload: { kind: "delete" } } } : {}),
  });
  const path = world.path("a.bin");
  let turns = 0;
  const onFailpoint = (name: Failpoint): void => {
    if (name === "stream_opened" && plot.turn && turns >= plot.turn.nth) plot.asked?.(world);
    if (name === plot.turn?.at && (turns += 1) === plot.turn.nth) plot.turn.act(world, path);
  };
  plot.begin(world, path);
  const common = {
    onFailpoint,
    storeDelayMs,
    ...(SAFEGUARDED.has(point.story) ? { safeguardMs: WINDOW_MS } : {}),
  };
  const first = world.worker({ dieAt: point, ...common });
  await first.work();
  // A completed file that changed is met by a rescan.
  if (!first.dead) await first.work();
  if (death.loses) world.redis.loseLastWrite();
  for (const nth of death.again) await world.worker({ dieAtAny: nth, ...common }).work();
  const last = world.worker(common);
  await last.work();
  // What a rescan would find a while later: nothing new.
  await last.work();
  return { world, path, died: first.dead };
}

describe.each(CRASH_POINTS)("$id: $gap ($story)", (point) => {
  it.each(DEATHS)(`$how: ${point.outcome}`, async (death) => {
    const { world, path, died } = await live(point, death);
    expect(died).toBe(true);
    expect(audit(world)).toEqual([]);
    const streams = world.redis.ids().map((id) => world.redis.record(id)?.status);
    const { expected, completed = 1 } = PLOTS[point.story];
    expect(streams.filter((status) => status === "completed")).toHaveLength(
      expected === undefined ? completed : 0,
    );
    if (expected === "nothing")
      expect([...streams, ...world.store.keys(), ...world.redis.takenKeys()]).toEqual([]);
    if (expected !== undefined) return;
    const versions = world.store.versions(BUCKET, "a.bin");
    expect(versions).toHaveLength(PLOTS[point.story].versions ?? 1);
    // Written again after a crash, it must be the same bytes; a new generation describes itself.
    const number = point.story === "metadata_taken" ? 2 : 1;
    expect(new Set(world.store.versions(BUCKET, metadataKey("a.bin", number))).size).toBe(versions.length);
    expect(world.disk.paths()).toEqual(LEFT[point.story] ?? [path]);
  });
});
