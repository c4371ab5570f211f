import {
  CheckpointError,
  DEFAULT_TEMPORARY_SUFFIXES,
  TemporaryNames,
  type DoneEntry,
  type FileFacts,
  type Look,
  type StreamRecord,
} from "@sluice/core";
import { ManualClock } from "@sluice/core/testing";
import { describe, expect, test, vi } from "vitest";
import { PathTable } from "../../streams/path-table.ts";
import { WatchRunner, type WatchDeps } from "./watch-runner.ts";
import type { Watch } from "./watch.ts";

const facts: FileFacts = { size: 1, inode: "1", device: "1", mtimeNs: "1", ctimeNs: "1" };
const root = { inode: "r", birthtimeNs: "r" };
const watch = {
  name: "in",
  root: "/in",
  keyPrefix: "",
  rules: { temporaryNames: new TemporaryNames(DEFAULT_TEMPORARY_SUFFIXES) },
} as Watch;
const record = (path: string) =>
  ({ id: path, original_path: path, status: "processing", bytes_sent: 1 }) as StreamRecord;

interface Scene {
  /** Files there are. */
  files: Set<string>;
  /** Paths of live streams. */
  live: string[];
  root: { inode: string; birthtimeNs: string } | undefined;
  walks: number;
  /** Of them. */
  lightWalks: number;
  deps: WatchDeps;
  runner: WatchRunner;
}

function scene(change: Partial<WatchDeps> = {}): Scene {
  const table = new PathTable();
  let recorded: Awaited<ReturnType<WatchDeps["loadRoot"]>>;
  const look = (path: string): Look => (here.files.has(path) ? { kind: "file", facts } : { kind: "missing" });
  const deps: WatchDeps = {
    files: {
      look: (path) => Promise.resolve(look(path)),
      lookFresh: (path) => Promise.resolve(look(path)),
    } as WatchDeps["files"],
    clock: new ManualClock(),
    supervisor: {
      sight: vi.fn<() => Promise<boolean>>(() => Promise.resolve(true)),
      settle: vi.fn<WatchDeps["supervisor"]["settle"]>(() => Promise.resolve([])),
      measure: vi.fn<(path: string) => boolean>((path) => here.live.includes(path)),
      poke: vi.fn<() => boolean>(() => false),
      sightedAt: () => undefined,
      written: vi.fn<() => boolean>(() => false),
      pokeNamed: vi.fn<() => boolean>(() => false),
      table,
      get running() {
        return new Map(here.live.map((path) => [path, { processor: { record: record(path) }, watch }]));
      },
    },
    rescanIntervalMs: 10_000,
    async *walk(_watch, _signal, passOver) {
      here.walks += 1;
      if (passOver) here.lightWalks += 1;
      for (const path of here.files) {
        if (passOver?.isSettled(path)) passOver.passed([path]);
        else yield await Promise.resolve({ path, facts });
      }
    },
    accepts: () => true,
    followsEvents: () => 0,
    rootIdentity: () => Promise.resolve(here.root),
    loadRoot: () => Promise.resolve(recorded),
    saveState: (_watch, now) => {
      recorded = now;
      return Promise.resolve();
    },
    removeDone: vi.fn<() => Promise<void>>(() => Promise.resolve()),
    noteSource: vi.fn<WatchDeps["noteSource"]>(async (failed, now) => void (failed.source_state = now)),
    catchUp: () => Promise.resolve(),
    log: { info: () => undefined, warn: () => undefined },
    ...change,
  };
  const here: Scene = {
    files: new Set(),
    live: [],
    root,
    walks: 0,
    lightWalks: 0,
    deps,
    runner: new WatchRunner(watch, deps),
  };
  return here;
}

const never = new AbortController().signal;

test("every file of a walk is sighted once", async () => {
  const here = scene();
  here.files = new Set(["/in/a", "/in/b"]);
  await here.runner.rescan(never);
  expect(here.deps.supervisor.sight).toHaveBeenCalledTimes(2);
});

test("callers that come during a walk share the one after it", async () => {
  const here = scene();
  await Promise.all([1, 2, 3, 4].map(() => here.runner.rescan(never)));
  expect(here.walks).toBe(2);
});

test("a walk that fails does not fail those that wait for the one after it, nor any later one", async () => {
  let failures = 1;
  const catchUp = () =>
    (failures -= 1) >= 0 ? Promise.reject(new CheckpointError("away")) : Promise.resolve();
  const here = scene({ catchUp });
  const [first, ...others] = await Promise.allSettled([1, 2, 3].map(() => here.runner.rescan(never)));
  expect([first?.status, ...others.map(({ status }) => status)]).toEqual([
    "rejected",
    "fulfilled",
    "fulfilled",
  ]);
  await Promise.all([1, 2].map(() => here.runner.rescan(never)));
});

test("D2a: names that a walk cannot settle alone are settled at its end, those seen for the first time by the next", async () => {
  const here = scene();
  here.files = new Set(["/in/a", "/in/b"]);
  here.deps.supervisor.sight = (_watch, path) => Promise.resolve(path !== "/in/a");
  const looked: boolean[] = [];
  here.deps.supervisor.settle = (_watch, paths, hasLooked) => {
    expect(paths).toEqual(["/in/a"]);
    looked.push(...paths.map(hasLooked));
    return Promise.resolve(looked.length < 2 ? ["/in/a"] : []);
  };
  for (let walk = 1; walk <= 3; walk += 1) await here.runner.rescan(never);
  expect(looked).toEqual([false, true, false]);
});

test("D2a: a hint that cannot be settled brings the next walk forward, which settles it", async () => {
  const stop = new AbortController();
  const here = scene();
  here.files = new Set(["/in/a"]);
  let looked: boolean | undefined;
  here.deps.supervisor.settle = (_watch, _paths, hasLooked) => {
    looked = hasLooked("/in/a");
    return Promise.resolve([]);
  };
  const running = here.runner.run(stop.signal);
  const clock = here.deps.clock as ManualClock;
  await clock.advance(1_000);
  expect(here.walks).toBe(1);
  here.deps.supervisor.sight = () => Promise.resolve(false);
  await here.runner.hint("/in/a");
  await clock.advance(1_000);
  expect({ walks: here.walks, looked }).toEqual({ walks: 2, looked: true });
  stop.abort();
  await running;
});

test("a completed file that is gone is forgotten, one that is only unseen is not", async () => {
  const here = scene();
  const entry = {
    stream_id: "s",
    file_inode: "1",
    file_size: 1,
    file_mtime_ns: "1",
    s3_bucket: "b",
    s3_key: "k",
    completed_at_utc: "",
  };
  here.deps.supervisor.table.setDone("/in/gone", entry);
  here.deps.supervisor.table.setDone("/elsewhere/gone", { ...entry, file_inode: "2" });
  await here.runner.rescan(never);
  // A rename during one walk may hide a file from it.
  expect(here.deps.removeDone).not.toHaveBeenCalled();
  await here.runner.rescan(never);
  expect(here.deps.removeDone).toHaveBeenCalledWith(["/in/gone"]);
  expect(here.deps.supervisor.table.get("/in/gone")).toBeUndefined();
  expect(here.deps.supervisor.table.get("/elsewhere/gone")).toBeDefined();
});

test("R18 Redis away delays the next walk, ends nothing and is told once", async () => {
  const stop = new AbortController();
  let failures = 2;
  const warn = vi.fn<() => void>();
  const here = scene({
    log: { info: () => undefined, warn },
    catchUp: () => (failures-- > 0 ? Promise.reject(new CheckpointError("away")) : Promise.resolve()),
  });
  const running = here.runner.run(stop.signal);
  const clock = here.deps.clock as ManualClock;
  await vi.waitFor(async () => {
    await clock.advance(10_000);
    expect(here.walks).toBe(3);
  });
  stop.abort();
  await running;
  expect(warn).toHaveBeenCalledTimes(1);
});

test("R18: while Redis is away every file is measured all the same, and those without a stream are counted", async () => {
  const away = Promise.reject(new CheckpointError("away"));
  const here = scene({ catchUp: () => away });
  here.live = ["/in/a"];
  here.files = new Set(["/in/a", "/in/new", "/in/newer"]);
  await expect(here.runner.rescan(never)).rejects.toThrow("away");
  expect(here.deps.supervisor.measure).toHaveBeenCalledTimes(3);
  expect(here.deps.supervisor.sight).not.toHaveBeenCalled();
  expect(here.runner.unopenedBytes).toBe(2 * facts.size);
  here.deps.catchUp = () => Promise.resolve();
  await here.runner.rescan(never);
  expect(here.runner.unopenedBytes).toBe(0);
});

test("a sighting that fails fails the walk, after the others have ended", async () => {
  const here = scene();
  here.files = new Set(["/in/a", "/in/b"]);
  let ended = 0;
  const both = Promise.withResolvers<void>();
  here.deps.supervisor.sight = async (_watch, path) => {
    if (path === "/in/b") both.resolve();
    await both.promise;
    ended += 1;
    if (path === "/in/a") throw new CheckpointError("away");
    return true;
  };
  await expect(here.runner.rescan(never)).rejects.toThrow("away");
  expect(ended).toBe(2);
});

test("a marker's arrival wakes the stream of its file, under whichever temporary name", async () => {
  const here = scene();
  await here.runner.hint("/in/a.mp4.done");
  expect(here.deps.supervisor.pokeNamed).toHaveBeenCalledWith("/in/a.mp4", watch.rules.temporaryNames);
});

test("bytes that were written mark a stream, anything else wakes it; a path without a stream is looked at either way", async () => {
  const here = scene();
  const { supervisor } = here.deps;
  here.files.add("/in/a.mp4");
  vi.mocked(supervisor.written).mockReturnValueOnce(true);
  await here.runner.hint("/in/a.mp4", true);
  expect(supervisor.written).toHaveBeenCalledWith("/in/a.mp4");
  expect(supervisor.poke).not.toHaveBeenCalled();
  vi.mocked(supervisor.poke).mockReturnValueOnce(true);
  await here.runner.hint("/in/a.mp4");
  expect(supervisor.poke).toHaveBeenCalledWith("/in/a.mp4");
  expect(supervisor.sight).not.toHaveBeenCalled();
  await here.runner.hint("/in/a.mp4", true);
  expect(supervisor.sight).toHaveBeenCalledOnce();
});

describe("how often a watch is walked", () => {
  function many(files: number, change: Partial<WatchDeps> = {}): Scene {
    const here = scene(change);
    here.files = new Set(Array.from({ length: files }, (_, n) => `/in/${n}`));
    here.deps.supervisor.sight = () => Promise.resolve(true);
    return here;
  }

  async function walksIn2Minutes(files: number, followsEvents = true): Promise<number> {
    const stop = new AbortController();
    const here = many(files, { followsEvents: () => followsEvents && 0 });
    const clock = here.deps.clock as ManualClock;
    const running = here.runner.run(stop.signal);
    await clock.advance(120_000);
    stop.abort();
    await clock.drive(running);
    return here.walks;
  }

  test("a small one at each interval; one with very many files more rarely, while events work", async () => {
    expect(await walksIn2Minutes(10)).toBe(13);
    expect(await walksIn2Minutes(40_000)).toBe(7);
    expect(await walksIn2Minutes(40_000, false)).toBe(13);
  });

  test("the largest once a minute", async () => {
    expect(await walksIn2Minutes(200_000)).toBe(3);
  });

  test("within an interval, however many files it has, when another directory stands at its root", async () => {
    const stop = new AbortController();
    const here = many(60_000);
    const clock = here.deps.clock as ManualClock;
    const running = here.runner.run(stop.signal);
    await clock.advance(5_000);
    here.root = undefined;
    await clock.advance(10_000);
    expect(here.runner.state.state).toBe("offline");
    stop.abort();
    await clock.drive(running);
  });
});

describe("a light walk", () => {
  async function after(
    ms: number,
    here: Scene,
    meanwhile: (clock: ManualClock) => Promise<void> = async () => {},
  ) {
    const stop = new AbortController();
    const clock = here.deps.clock as ManualClock;
    const running = here.runner.run(stop.signal);
    await clock.advance(1);
    await meanwhile(clock);
    await clock.advance(ms);
    stop.abort();
    await clock.drive(running);
    return { full: here.walks - here.lightWalks, light: here.lightWalks };
  }

  function kept(change: Partial<WatchDeps> = {}): Scene {
    const here = scene(change);
    here.files = new Set(["/in/kept", "/in/live"]);
    here.deps.supervisor.table.setDone("/in/kept", { file_inode: "1" } as DoneEntry);
    return here;
  }

  test("passes over completed files while events report changes; once a minute everything is looked at", async () => {
    const here = kept();
    expect(await after(119_000, here)).toEqual({ full: 2, light: 10 });
    const sighted = vi.mocked(here.deps.supervisor.sight).mock.calls.map(([, path]) => path);
    expect(sighted.filter((path) => path === "/in/kept")).toHaveLength(2);
    expect(sighted.filter((path) => path === "/in/live")).toHaveLength(12);
    expect(here.runner.filesSeen).toBe(2);
    expect(here.deps.removeDone).not.toHaveBeenCalled();
  });

  test("is not made without events", async () => {
    expect(await after(59_000, kept({ followsEvents: () => false }))).toEqual({ full: 6, light: 0 });
  });

  test("is not made after a walk that failed, nor while the volume is away, nor when Redis was emptied", async () => {
    const failing = kept();
    let fails = 2;
    failing.deps.catchUp = () =>
      (fails -= 1) >= 0 ? Promise.reject(new CheckpointError("away")) : Promise.resolve();
    expect(await after(49_000, failing)).toEqual({ full: 3, light: 2 });
    const offline = kept();
    const comesBack = async (clock: ManualClock): Promise<void> => {
      offline.root = undefined;
      await clock.advance(10_000);
      offline.root = root;
    };
    expect(await after(39_000, offline, comesBack)).toEqual({ full: 2, light: 2 });
    const emptied = kept();
    const forget = async (): Promise<void> => emptied.runner.forgetSaved();
    expect(await after(49_000, emptied, forget)).toEqual({ full: 2, light: 3 });
  });

  test("is not made until a walk has begun with events at work", async () => {
    let events = false;
    const here = kept({ followsEvents: () => events && 0 });
    const begin = async (): Promise<void> => void (events = true);
    expect(await after(39_000, here, begin)).toEqual({ full: 2, light: 2 });
  });

  test("is not made when something else reports the changes than when the walk before it began", async () => {
    let switches = 0;
    const here = kept({ followsEvents: () => switches });
    const change = async (clock: ManualClock): Promise<void> => {
      await clock.advance(15_000);
      switches += 1;
    };
    expect(await after(24_000, here, change)).toEqual({ full: 2, light: 2 });
  });

  test("looks at a completed file that an event named, also when the hint failed", async () => {
    const here = kept();
    const hint = async (): Promise<void> => {
      vi.mocked(here.deps.supervisor.sight).mockRejectedValueOnce(new CheckpointError("away"));
      await expect(here.runner.hint("/in/kept", true)).rejects.toThrow("away");
    };
    expect(await after(29_000, here, hint)).toEqual({ full: 1, light: 2 });
    const sighted = vi.mocked(here.deps.supervisor.sight).mock.calls.map(([, path]) => path);
    // By the first walk, by the hint, and by the first light walk.
    expect(sighted.filter((path) => path === "/in/kept")).toHaveLength(3);
  });

  test("is not made when a hint asks for a walk", async () => {
    const here = kept();
    const hint = async (): Promise<void> => {
      vi.mocked(here.deps.supervisor.sight).mockResolvedValueOnce(false);
      await here.runner.hint("/in/new");
    };
    here.files.add("/in/new");
    expect((await after(5_000, here, hint)).full).toBe(2);
  });
});

test("where the files of failed streams are is noted once for each change", async () => {
  const here = scene();
  const { table } = here.deps.supervisor;
  const known = { status: "failed_access_denied", bytes_sent: 0, file_inode: facts.inode };
  table.setFailed("/in/a", { id: "a", reason: "access_denied", source_state: "present", ...known });
  here.files.add("/in/a");
  await here.runner.rescan(never);
  expect(here.deps.noteSource).not.toHaveBeenCalled();
  here.files.delete("/in/a");
  await here.runner.rescan(never);
  await here.runner.rescan(never);
  expect(here.deps.noteSource).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({ id: "a" }),
    "missing",
  );
});
