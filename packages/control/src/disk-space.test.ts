import type { WatchSpace, WorkerRecord } from "@sluice/redis-schema/records/worker";
import type { WorkerListing } from "@sluice/redis-schema/worker-registry";
import { expect, it } from "vitest";
import { disksOf, fillingSentence, isUrgent } from "./disk-space.ts";

const GIB = 1024 ** 3;
const HOUR = 3_600_000;
const WARNED = { filling_since_utc: "2026-11-30T10:00:00.000Z" };

function space(watch: string, freeGib: number, over: Partial<WatchSpace> = {}): WatchSpace {
  return { watch, free_bytes: freeGib * GIB, total_bytes: 100 * GIB, ...over };
}

function worker(spaces: WatchSpace[], { id = "w1", source = "cams", ageMs = 1_000 } = {}): WorkerListing {
  const value = {
    host: "cam-host-2",
    source,
    watches: [],
    state: "ok",
    free_space: spaces,
  } as Partial<WorkerRecord>;
  return { id, lastSeenAt: 0, ageMs, lease: { kind: "ok", value: value as WorkerRecord } };
}

const order = (listings: WorkerListing[]) =>
  disksOf(listings).map(({ source, watch }) => `${source}/${watch}`);

it("the disk that is warned of comes first, then the one that is full soonest, then the one with the least room", () => {
  const spaces = [
    space("roomy", 90),
    space("small", 20),
    space("later", 50, { full_in_ms: 9 * HOUR }),
    space("soon", 60, { full_in_ms: 7 * HOUR }),
    space("short", 9, WARNED),
    space("fast", 70, { ...WARNED, full_in_ms: HOUR }),
  ];
  expect(order([worker(spaces)])).toEqual(
    ["fast", "short", "soon", "later", "small", "roomy"].map((name) => `cams/${name}`),
  );
});

it("two workers of one source look at one disk; the same name on another source is another disk", () => {
  const listings = [
    worker([space("rec", 50)]),
    worker([space("rec", 49, WARNED)], { id: "w2" }),
    worker([space("rec", 80)], { id: "w3", source: "audio" }),
  ];
  expect(order(listings)).toEqual(["cams/rec", "audio/rec"]);
  expect(disksOf(listings)[0]).toMatchObject({ worker: "w2", ...WARNED });
});

it("what a worker said that is gone or silent is not known any longer", () => {
  const last = { free_space: [space("rec", 1, WARNED)] } as unknown as WorkerRecord;
  const gone: WorkerListing = { id: "w1", lastSeenAt: 0, lease: { kind: "gone", last } };
  expect(disksOf([gone, worker([space("rec", 1)], { ageMs: 10_001 })])).toEqual([]);
  // One that waits for its store has not looked yet.
  const { lease } = worker([]);
  if (lease.kind === "ok") delete lease.value.free_space;
  expect(disksOf([{ id: "w1", lastSeenAt: 0, lease }])).toEqual([]);
});

it("is said in one sentence, and not at all while no disk fills", () => {
  expect(fillingSentence([worker([space("rec", 50, { full_in_ms: 9 * HOUR })])])).toBeUndefined();
  const spaces = [space("rec", 12, { ...WARNED, full_in_ms: 3 * HOUR }), space("log", 9, WARNED)];
  expect(fillingSentence([worker(spaces)])).toBe(
    "The disk of watch rec on cam-host-2 fills: 12.0 GiB of 100 GiB free, full in 3 h at this rate. So do those of log.",
  );
});

it.each([
  [space("a", 9), false],
  [space("a", 0.9), true],
  [space("a", 50, { full_in_ms: HOUR }), false],
  [space("a", 50, { full_in_ms: HOUR - 1 }), true],
  [{ ...space("a", 0), total_bytes: 0 }, true],
])("%o: urgent: %s", (disk, urgent) => {
  expect(isUrgent(disk)).toBe(urgent);
});
