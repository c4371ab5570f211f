import type { WatchRecord, WorkerListing, WorkerRecord } from "@sluice/redis-schema";
import type { EndingUpload } from "@sluice/control/ending-uploads";
import { expect, it } from "vitest";
import { LASTED_MS, workerNews } from "./worker-watch.ts";

const NOW = Date.parse("2026-11-30T12:00:00.000Z");
const before = (ms: number): string => new Date(NOW - ms).toISOString();

function worker(over: Partial<WorkerRecord> = {}): WorkerRecord {
  return {
    nonce: "n",
    boot_id: "b",
    pid_namespace: "p",
    host: "cam-host",
    pid: 1,
    process_started: "1",
    version: "1",
    source: "studio",
    watches: ["rec"],
    state: "ok",
    in_flight_bytes: 0,
    started_at_utc: before(0),
    renewed_at_utc: before(0),
    ...over,
  };
}

const alive = (over: Partial<WorkerRecord> = {}): WorkerListing => ({
  id: "w1",
  lastSeenAt: NOW,
  lease: { kind: "ok", value: worker(over) },
});
const gone = (last?: WorkerRecord): WorkerListing => ({
  id: "w1",
  lastSeenAt: NOW - 20_000,
  lease: { kind: "gone", ...(last && { last }) },
});
const blocked = (ms: number) =>
  alive({ state: "blocked", state_detail: "SlowDown", state_since_utc: before(ms) });
const watch = (state: WatchRecord["state"], ms: number): WatchRecord => ({
  source: "studio",
  name: "rec",
  root: "/rec",
  state,
  since_utc: before(ms),
});

const disk = (over: object = {}, ageMs = 1_000): WorkerListing => ({
  ...alive({
    free_space: [{ watch: "rec", free_bytes: 5 * 1024 ** 3, total_bytes: 100 * 1024 ** 3, ...over }],
  }),
  ageMs,
});
const fills = (ms: number) => ({ filling_since_utc: before(ms), full_in_ms: 7_200_000 });
const FILLING = { "filling:studio/rec": "earlier" };

const SINCE_BLOCKED = { "blocked:w1": before(LASTED_MS) };
const LOST = { "lost:w1": String(NOW - 20_000) };

it.each<[string, WorkerListing[], WatchRecord[], Record<string, string>, (string | undefined)[]]>([
  ["a worker that is well", [alive()], [], {}, []],
  ["one that has just become blocked", [blocked(LASTED_MS - 1)], [], {}, []],
  ["one that has been blocked for a while", [blocked(LASTED_MS)], [], {}, ["worker.blocked"]],
  ["one that is known to be blocked", [blocked(LASTED_MS)], [], SINCE_BLOCKED, []],
  [
    "one that is blocked once more",
    [blocked(LASTED_MS)],
    [],
    { "blocked:w1": "earlier" },
    ["worker.blocked"],
  ],
  ["one that is well again", [alive()], [], SINCE_BLOCKED, ["worker.recovered"]],
  ["one that is gone without a word", [gone(worker())], [], {}, ["worker.lost"]],
  ["one that is known to be gone", [gone(worker())], [], LOST, []],
  ["one that is back", [alive()], [], LOST, ["worker.recovered"]],
  ["one that was blocked and is gone", [gone(worker())], [], SINCE_BLOCKED, ["worker.lost", undefined]],
  ["one that ended politely", [gone()], [], {}, []],
  ["one that ended politely while blocked", [gone()], [], SINCE_BLOCKED, [undefined]],
  ["one that nobody lists any longer", [], [], LOST, [undefined]],
  ["one that drains", [alive({ state: "draining" })], [], {}, []],
  ["a watch whose volume is away", [], [watch("offline", LASTED_MS)], {}, ["watch.offline"]],
  ["a watch that is remounted", [], [watch("offline", 1_000)], {}, []],
  ["a watch that is back", [], [watch("ok", 0)], { "offline:studio/rec": before(LASTED_MS) }, [undefined]],
  ["a disk with room", [disk()], [], {}, []],
  ["a disk that has just begun to fill", [disk(fills(LASTED_MS - 1))], [], {}, []],
  ["a disk that fills", [disk(fills(LASTED_MS))], [], {}, ["watch.disk_filling"]],
  [
    "a disk that two workers say fills",
    [disk(fills(LASTED_MS)), { ...disk(fills(99_000)), id: "w2" }],
    [],
    {},
    ["watch.disk_filling"],
  ],
  [
    "a disk that is known to fill, from a worker that was started again",
    [disk(fills(LASTED_MS))],
    [],
    FILLING,
    [],
  ],
  ["a disk that has room again", [disk()], [], FILLING, [undefined]],
  ["a disk of which nobody reports now", [alive()], [], FILLING, []],
  ["a disk whose worker is silent", [disk({}, 11_000)], [], FILLING, []],
  [
    "a disk whose worker is gone, which is news of its own",
    [gone(worker())],
    [],
    { ...FILLING, ...LOST },
    [],
  ],
  ["a disk of a watch that nobody has any longer", [], [], FILLING, [undefined]],
])("%s: what is told", (_, workers, watches, reported, events) => {
  const news = workerNews(workers, watches, new Map(Object.entries(reported)), NOW);
  expect(news.map(({ event }) => event)).toEqual(events);
});

it("names worker, host, source, since when and why", () => {
  expect(workerNews([blocked(LASTED_MS)], [], new Map(), NOW)[0]?.data).toEqual({
    worker: "w1",
    host: "cam-host",
    source: "studio",
    since: before(LASTED_MS),
    cause: "SlowDown",
  });
});

it("names the disk that fills by watch, source and host, with its numbers and in words", () => {
  expect(workerNews([disk(fills(LASTED_MS))], [], new Map(), NOW)[0]).toMatchObject({
    field: "filling:studio/rec",
    subject: "watch studio/rec",
    data: {
      watch: "rec",
      source: "studio",
      host: "cam-host",
      worker: "w1",
      since: before(LASTED_MS),
      free_bytes: String(5 * 1024 ** 3),
      total_bytes: String(100 * 1024 ** 3),
      full_in_ms: "7200000",
      cause: "5.0 GiB of 100 GiB free, full in 2 h at this rate",
    },
  });
});

const ENDS: EndingUpload = {
  uploadId: "u1",
  streamId: "s1",
  bucket: "b",
  key: "a.mxf",
  path: "/rec/a.mxf",
  bytes: 5,
  beganAt: 0,
  endsAt: NOW + 3_600_000,
  by: "store",
};

it.each<[string, EndingUpload[] | undefined, Record<string, string>, (string | undefined)[]]>([
  ["that ends soon is said", [ENDS], {}, ["upload.ending"]],
  ["is said once, also if its end moves", [ENDS], { "ending:u1": "earlier" }, []],
  ["that was salvaged is forgotten without a message", [], { "ending:u1": "earlier" }, [undefined]],
  ["is not forgotten while nobody looks", undefined, { "ending:u1": "earlier" }, []],
])("an only copy %s", (_, ending, reported, events) => {
  const news = workerNews([alive()], [], new Map(Object.entries(reported)), NOW, ending);
  expect(news.map(({ event }) => event)).toEqual(events);
});
