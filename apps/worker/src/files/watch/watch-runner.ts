/**
 * Walks one watch: regular full rescans are authoritative, hints from the directory watcher only make discovery faster.
 * What only a whole walk can determine, such as swapped names, is settled at its end.
 */
import {
  CheckpointError,
  MARKER_SUFFIX,
  isoNow,
  sameFile,
  sourceStateOf,
  type Clock,
  type FileFacts,
  type FileSource,
  type Look,
  type SourceState,
  type StreamRecord,
} from "@sluice/core";
import type { WatchStore } from "@sluice/redis-schema";
import { trouble } from "@sluice/control/troubles";
import { Outage } from "../../observe/outage.ts";
import type { FailedFile } from "../../streams/path-table.ts";
import type { Supervisor } from "../../streams/supervisor.ts";
import type { PassOver } from "./rescan.ts";
import type { Watch } from "./watch.ts";

export interface RootIdentity {
  inode: string;
  birthtimeNs?: string | undefined;
}

/** What the runner needs from the file system and from Redis. */
export interface WatchDeps {
  files: FileSource;
  clock: Clock;
  supervisor: Pick<
    Supervisor,
    "sight" | "settle" | "measure" | "poke" | "written" | "pokeNamed" | "sightedAt" | "table"
  > & {
    readonly running: ReadonlyMap<string, { processor: { readonly record: StreamRecord }; watch: Watch }>;
  };
  rescanIntervalMs: number;
  /**
   * Regular files of the watch that pass its filter. Ends early only by throwing. `passOver`: a light walk, which passes
   * over settled files in directories whose names are the same as before.
   */
  walk(
    watch: Watch,
    signal: AbortSignal,
    passOver?: PassOver,
  ): AsyncIterable<{ path: string; facts: FileFacts }>;
  /** Whether a path would be a stream. */
  accepts(watch: Watch, path: string, facts: FileFacts): boolean;
  /**
   * Whether every change is reported now; otherwise only the walks find them. Another number when what reports them has
   * changed since.
   */
  followsEvents(watch: Watch): number | false;
  /** Undefined if the root does not exist or cannot be read. */
  rootIdentity(root: string): Promise<RootIdentity | undefined>;
  loadRoot(watch: Watch): Promise<RootIdentity | undefined>;
  saveState(watch: Watch, root: RootIdentity | undefined, state: VolumeState): Promise<void>;
  removeDone(paths: string[]): Promise<void>;
  /** Where the file of a failed stream is now, for its record and for the table. */
  noteSource(failed: FailedFile, now: SourceState): Promise<void>;
  /** Applies what others changed in Redis since the last walk: purged streams. */
  catchUp(): Promise<void>;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** Concurrent sightings during a walk: they share round trips to Redis. */
const SIGHTINGS = 256;
/**
 * While events report changes, the pause between walks grows with the number of files that were looked at: each takes
 * some 0.02 ms of CPU, so walks use at most about 4 % of a core.
 */
const REST_MS_PER_FILE = 0.5;
const LONGEST_REST_MS = 60_000;
/**
 * The walks in between are light: they look at directories and at files that are not completed. A change of a completed
 * file whose event was lost is found by the next walk that looks at everything.
 */
const FULL_WALK_EVERY_MS = 60_000;
const FULL_WALK_MS_PER_FILE = 1;
const FULL_WALK_AT_LEAST_EVERY_MS = 300_000;
/** Walks that hints request may use at most this share of the time. */
const EARLY_WALKS_SHARE = 0.1;
/** Events of one rename arrive together. */
const EARLY_WALK_AFTER_MS = 100;

export class WatchRunner {
  readonly watch: Watch;
  readonly #deps: WatchDeps;
  #state: VolumeState = { state: "ok" };
  #saved = "";
  /** The root as the last walk found it. */
  #root: RootIdentity | undefined;
  #current: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #lastSeen = 0;
  /** Files that the last walk looked at. */
  #lookedAt = 0;
  /** When the last walk that looked at everything began (monotonic ms). */
  #fullAtMs = 0;
  /** The next walk looks at everything. */
  #mustBeFull = true;
  /** What `followsEvents` said when the last walk of this loop began. */
  #followedBefore: number | false = false;
  /** Completed files that an event named since the last walk began. */
  #named = new Set<string>();
  /** The last walk reached its end, and found its volume. */
  #walkedWell = false;
  #unopened = 0;
  /** Paths of completed files that the last walk did not find. */
  #gone = new Set<string>();
  #lastWalkMs = 0;
  #walks = 0;
  /** Paths where another file than the completed one was seen, and the last walk that had begun by then. */
  readonly #displaced = new Map<string, number>();
  #early = new AbortController();

  constructor(watch: Watch, deps: WatchDeps) {
    this.watch = watch;
    this.#deps = deps;
  }

  get state(): VolumeState {
    return this.#state;
  }

  /** Files seen by the last full walk. */
  get filesSeen(): number {
    return this.#lastSeen;
  }

  /** Bytes of files that could not be given a stream yet, because Redis refuses writes. */
  get unopenedBytes(): number {
    return this.#unopened;
  }

  /** Redis was emptied: what was saved about the watch must be saved again. */
  forgetSaved(): void {
    this.#saved = "";
    this.#mustBeFull = true;
  }

  /** Walks at the rescan interval until the signal aborts. An unavailable Redis only delays the next walk. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    const outage = new Outage(clock, log, {
      begins: `watch ${this.watch.name}: new files wait for Redis`,
      over: `watch ${this.watch.name}: new files are uploaded again`,
    });
    while (!signal.aborted) {
      try {
        await this.#walkWhenFree(signal, { light: this.#mayBeLight() });
        outage.over();
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error;
        outage.during(error.message);
      }
      await this.#pause(signal);
    }
  }

  /** Until the next walk is due, or a hint has requested one. */
  async #pause(signal: AbortSignal): Promise<void> {
    const { clock, rescanIntervalMs } = this.#deps;
    const begunMs = clock.monotonicMs();
    const awake = AbortSignal.any([signal, this.#early.signal]);
    await clock.sleep(rescanIntervalMs, awake);
    while (!awake.aborted && clock.monotonicMs() - begunMs < this.#restMs() && (await this.#sameRoot()))
      await clock.sleep(rescanIntervalMs, awake);
    if (!this.#early.signal.aborted || signal.aborted) return;
    this.#early = new AbortController();
    this.#mustBeFull = true;
    const leastMs = Math.max(EARLY_WALK_AFTER_MS, this.#lastWalkMs / EARLY_WALKS_SHARE);
    const restMs = Math.min(rescanIntervalMs, leastMs) - (clock.monotonicMs() - begunMs);
    await clock.sleep(Math.max(EARLY_WALK_AFTER_MS, restMs), signal);
  }

  /**
   * A walk over very many files costs more than it finds while events work. The result does not depend on how busy the
   * machine is.
   */
  #restMs(): number {
    const { rescanIntervalMs, followsEvents } = this.#deps;
    if (followsEvents(this.watch) === false) return rescanIntervalMs;
    return Math.max(rescanIntervalMs, Math.min(LONGEST_REST_MS, this.#lookedAt * REST_MS_PER_FILE));
  }

  /** Whether events would have reported what a light walk does not look at. */
  #mayBeLight(): boolean {
    const { clock, followsEvents } = this.#deps;
    const followedBefore = this.#followedBefore;
    this.#followedBefore = followsEvents(this.watch);
    if (this.#mustBeFull || followedBefore === false || followedBefore !== this.#followedBefore) return false;
    const everyMs = Math.min(
      FULL_WALK_AT_LEAST_EVERY_MS,
      Math.max(FULL_WALK_EVERY_MS, this.#lastSeen * FULL_WALK_MS_PER_FILE),
    );
    return clock.monotonicMs() - this.#fullAtMs < everyMs;
  }

  /** A volume that was unmounted or mounted is noticed at each interval, however long the pause. */
  async #sameRoot(): Promise<boolean> {
    const root = await this.#deps.rootIdentity(this.watch.root);
    return JSON.stringify(root) === JSON.stringify(this.#root);
  }

  /** Starts a walk that looks at everything after this call; concurrent callers share the next one. */
  async rescan(signal: AbortSignal): Promise<void> {
    await this.#walkWhenFree(signal, { light: false });
  }

  async #walkWhenFree(signal: AbortSignal, how: { light: boolean }): Promise<void> {
    if (this.#current === undefined) {
      this.#current = this.#walk(signal, how).finally(() => {
        if (!this.#walkedWell) this.#mustBeFull = true;
        this.#current = undefined;
      });
      return await this.#current;
    }
    const walkAgain = async (): Promise<void> => {
      this.#next = undefined;
      await this.rescan(signal);
    };
    // How the walk under way ends is for those who wait for that one.
    this.#next ??= this.#current.then(walkAgain, walkAgain);
    await this.#next;
  }

  /** Whether a stream has the path that an event named, or the file of the marker it named; that stream then knows. */
  passedOn(path: string, written = false): boolean {
    const { supervisor } = this.#deps;
    const { temporaryNames } = this.watch.rules;
    if (path.endsWith(MARKER_SUFFIX)) {
      // `<name>.done` belongs to `<name>`, or to `<name>` under a temporary suffix.
      if (supervisor.pokeNamed(path.slice(0, -MARKER_SUFFIX.length), temporaryNames)) return true;
    }
    return written ? supervisor.written(path) : supervisor.poke(path);
  }

  /** A path that an event named. */
  async hint(path: string, written = false): Promise<void> {
    if (!this.passedOn(path, written)) await this.sightNew(path);
  }

  /** As `hint`, for a path that no stream has. */
  async sightNew(path: string): Promise<void> {
    const { supervisor, files } = this.#deps;
    // Whatever becomes of the hint, the next walk looks at the file too.
    if (supervisor.table.isOnlyDone(path)) this.#named.add(path);
    // A walk enters no link. An event names a path, and one of its directories may be a link by now: opened, it says so.
    const look = await files.lookFresh(path);
    if (look.kind !== "file" || !this.#deps.accepts(this.watch, path, look.facts)) return;
    if (await supervisor.sight(this.watch, path, look.facts)) return;
    this.#noteDisplaced(path);
    this.#early.abort();
  }

  #noteDisplaced(path: string): void {
    if (!this.#displaced.has(path)) this.#displaced.set(path, this.#walks);
  }

  async #walk(signal: AbortSignal, { light }: { light: boolean }): Promise<void> {
    const { clock, rootIdentity, supervisor } = this.#deps;
    const begunMs = clock.monotonicMs();
    this.#walks += 1;
    this.#walkedWell = false;
    if (!light) this.#fullAtMs = begunMs;
    if (!light) this.#mustBeFull = false;
    const root = await rootIdentity(this.watch.root);
    this.#root = root;
    const seen = new Set<string>();
    const away: unknown[] = [];
    await this.#deps.catchUp().catch((error: unknown) => void away.push(error));
    const named = this.#named;
    this.#named = new Set();
    const passOver: PassOver = {
      isSettled: (path) => supervisor.table.isOnlyDone(path) && !named.has(path),
      passed(paths) {
        for (const path of paths) seen.add(path);
      },
    };
    if (root) await this.#sightAll(seen, away, signal, light ? passOver : undefined);
    if (away.length > 0) throw away[0];
    if (signal.aborted) return;
    this.#lastSeen = seen.size;
    await this.#judge(root, seen);
    if (this.#state.state === "ok") await this.#forgetDone(seen);
    await this.#noteSources();
    this.#lastWalkMs = clock.monotonicMs() - begunMs;
    this.#walkedWell = this.#state.state === "ok";
  }

  /**
   * After the first failure, the remaining files are only measured: the number of bytes not in S3 yet must be known
   * also while Redis is unavailable.
   */
  async #sightAll(
    seen: Set<string>,
    failures: unknown[],
    signal: AbortSignal,
    passOver: PassOver | undefined,
  ): Promise<void> {
    const { supervisor } = this.#deps;
    const underWay = new Set<Promise<void>>();
    const unsettled: string[] = [];
    let unopened = 0;
    const measure = (path: string, facts: FileFacts): void => {
      if (!supervisor.measure(path, facts)) unopened += facts.size;
    };
    this.#lookedAt = 0;
    for await (const { path, facts } of this.#deps.walk(this.watch, signal, passOver)) {
      seen.add(path);
      this.#lookedAt += 1;
      if (failures.length > 0) {
        measure(path, facts);
        continue;
      }
      const sighting = supervisor
        .sight(this.watch, path, facts)
        .then((settled) => {
          if (settled) return;
          unsettled.push(path);
          this.#noteDisplaced(path);
        })
        .catch((error: unknown) => {
          failures.push(error);
          measure(path, facts);
        })
        .finally(() => underWay.delete(sighting));
      underWay.add(sighting);
      if (underWay.size >= SIGHTINGS) await Promise.race(underWay);
    }
    await Promise.all(underWay);
    this.#unopened = unopened;
    if (failures.length > 0 || signal.aborted) return;
    await this.#settle(unsettled).catch((error: unknown) => void failures.push(error));
  }

  /** Names that were swapped or rotated. Paths first seen in this walk are settled in the next. */
  async #settle(paths: readonly string[]): Promise<void> {
    const since = this.#displaced;
    const looked = (path: string): boolean => (since.get(path) ?? this.#walks) < this.#walks;
    const left = new Set(await this.#deps.supervisor.settle(this.watch, paths, looked));
    const asked = new Set(paths);
    // Paths that a hint has named since this walk began stay recorded for the next.
    for (const [path, walk] of since)
      if (!left.has(path) && (asked.has(path) || walk < this.#walks)) since.delete(path);
    if (left.size > 0) this.#early.abort();
  }

  async #judge(root: RootIdentity | undefined, seen: ReadonlySet<string>): Promise<void> {
    const live = this.#liveRecords();
    const unseen = live.filter((record) => !seen.has(record.original_path));
    const here = await Promise.all(unseen.map((record) => this.#isHere(record)));
    const missing = unseen.filter((_, at) => !here[at]);
    const known = missing.filter((record) => record.bytes_sent > 0);
    const recorded = await this.#deps.loadRoot(this.watch);
    const before = this.#state;
    this.#state = judgeVolume({
      root,
      recorded,
      live: live.length,
      missing: missing.length,
      missed: known.length,
    });
    const fingerprint = JSON.stringify([root, this.#state]);
    if (fingerprint !== this.#saved) {
      const ok = this.#state.state === "ok";
      await this.#deps.saveState(this.watch, ok ? root : recorded, this.#state);
      this.#saved = fingerprint;
    }
    this.#reportState(before);
    // A stream whose file is missing finds that out by its own check.
    for (const record of unseen) this.#deps.supervisor.poke(record.original_path);
  }

  /** Whether the file is at its path, or under another name, which may be in another watch. */
  async #isHere({ id, original_path: path }: StreamRecord): Promise<boolean> {
    const { files, supervisor } = this.#deps;
    const paths = [path, supervisor.sightedAt(id) ?? path];
    const looks = await Promise.all(paths.map((one) => files.look(one)));
    return looks.some((look) => look.kind !== "missing");
  }

  #reportState(before: VolumeState): void {
    const now = this.#state;
    if (now.state === before.state) return;
    const fields = { watch: this.watch.name, root: this.watch.root };
    if (now.state === "offline")
      this.#deps.log.warn(
        { ...fields, detail: now.detail, ...trouble("watch_offline") },
        "a watch is offline; its streams wait",
      );
    else this.#deps.log.info(fields, "a watch is back");
  }

  /** Streams that still need their file. */
  #liveRecords(): StreamRecord[] {
    return [...this.#deps.supervisor.running.values()]
      .filter(({ watch }) => watch.name === this.watch.name)
      .map(({ processor }) => processor.record)
      .filter((record) => record.status !== "s3_completed");
  }

  /** Where the files of failed streams are: whether what S3 holds of them is the only copy. */
  async #noteSources(): Promise<void> {
    const { files, supervisor, noteSource } = this.#deps;
    const inside = `${this.watch.root}/`;
    for (const [path, failed] of supervisor.table.failed()) {
      if (!path.startsWith(inside)) continue;
      const now = this.#state.state === "offline" ? "unknown" : sourceOf(failed, await files.look(path));
      if (now !== failed.source_state) await noteSource(failed, now);
    }
  }

  /**
   * Forgets completed files that are gone, so that a new file under the same name counts as new. Two walks in a row
   * must miss the file: a rename during a walk may move it from a part not walked yet to one already walked.
   */
  async #forgetDone(seen: ReadonlySet<string>): Promise<void> {
    const { table } = this.#deps.supervisor;
    const inside = `${this.watch.root}/`;
    for (const [path, failed] of table.failed())
      if (path.startsWith(inside) && !seen.has(path)) failed.wasGone = true;
    const before = this.#gone;
    this.#gone = new Set();
    for (const path of table.donePaths()) {
      if (seen.has(path) || !path.startsWith(inside)) continue;
      const look = await this.#deps.files.look(path);
      if (look.kind === "missing") this.#gone.add(path);
    }
    const gone = [...this.#gone].filter((path) => before.has(path));
    if (gone.length === 0) return;
    await this.#deps.removeDone(gone);
    for (const path of gone) table.clearDone(path);
  }
}

/** Where no inode number proves it, a file at a path that was empty for a while may be another one. */
function sourceOf(failed: FailedFile, look: Look): SourceState {
  const state = sourceStateOf(failed, look, failed.bytes_sent);
  if (state !== "present" || failed.wasGone !== true || look.kind !== "file") return state;
  return sameFile(failed, look.facts, { at: "its_path" }).kind === "same" ? state : "unknown";
}

/**
 * Decides whether a volume is absent, as opposed to missing files. Pure: judges the root and the live files of a watch.
 */
export interface VolumeFacts {
  /** Undefined if the root does not exist or cannot be read. */
  root: { inode: string; birthtimeNs?: string | undefined } | undefined;
  /** As recorded when the watch was last `ok`. */
  recorded: { inode: string; birthtimeNs?: string | undefined } | undefined;
  /** Live files of the watch. */
  live: number;
  /** Live files that are missing. */
  missing: number;
  /** Missing files that may have data in S3. */
  missed: number;
}

export type VolumeState = { state: "ok" } | { state: "offline"; detail: string };

export function judgeVolume(facts: VolumeFacts): VolumeState {
  const { root, recorded, live, missing, missed } = facts;
  if (!root) return { state: "offline", detail: "its directory is gone or cannot be read" };
  const left = live - missing;
  const moved = recorded && (root.inode !== recorded.inode || root.birthtimeNs !== recorded.birthtimeNs);
  if (moved && live > 0 && left === 0) {
    return {
      state: "offline",
      detail: "its directory was replaced, and contains none of its live files",
    };
  }
  // Some temporary files that come and go together are not a missing volume: nothing of them was ever sent.
  if (missing >= 2 && left === 0 && missed > 0) {
    return { state: "offline", detail: `all ${missing} of its live files are gone at once` };
  }
  return { state: "ok" };
}

/**
 * The fields of `watch:<source>:<name>` that a walk needs: which directory the root was when the watch was last
 * available.
 */
export function watchRecords(
  source: string,
  store: WatchStore,
  clock: Pick<Clock, "wallMs">,
): Pick<WatchDeps, "loadRoot" | "saveState"> {
  return {
    async loadRoot({ name }) {
      const read = await store.load(source, name);
      if (read.kind !== "ok" || read.value.root_inode === undefined) return undefined;
      return { inode: read.value.root_inode, birthtimeNs: read.value.root_birthtime_ns };
    },
    async saveState({ name, root: path }, root, state) {
      await store.save({
        source,
        name,
        root: path,
        ...(root === undefined ? {} : { root_inode: root.inode }),
        ...(root?.birthtimeNs === undefined ? {} : { root_birthtime_ns: root.birthtimeNs }),
        state: state.state,
        ...(state.state === "offline" ? { state_detail: state.detail } : {}),
        since_utc: isoNow(clock),
      });
    },
  };
}
