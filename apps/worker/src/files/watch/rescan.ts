/**
 * Walks a watch and yields every regular file that is a stream. It follows no links, ignores entries that vanish
 * meanwhile, and works in small steps, so a directory of 100,000 files does not block the worker.
 *
 * A light walk does not list a directory again whose own time is as it was: its names are the same. The files in it that
 * are settled are passed over: reported by their names, without a look.
 */
import type { BigIntStats, Dir, Dirent } from "node:fs";
import { opendir } from "node:fs/promises";
import { decodePath, type FileFacts } from "@sluice/core";
import { factsOf, kindOfEntry } from "../file-facts.ts";
import { pathBuffer } from "../path-buffer.ts";
import { statPath } from "../stat-path.ts";
import { isMissing, systemError } from "../system-error.ts";
import type { PathFilter, Refusal } from "./path-filter.ts";

export interface Seen {
  path: string;
  facts: FileFacts;
}

/** Why an entry is not a stream: the filter's reason, or its kind ("a FIFO"). */
export type Skip = Refusal | (string & {});

export interface Walk {
  root: string;
  filter: PathFilter;
  signal: AbortSignal;
  nowMs(): number;
  /** A directory or file that cannot be read: its content is unknown, not gone. */
  onUnreadable(path: string, error: unknown): void;
  onSkipped?(reason: Skip): void;
  /** Why a file with several names is not followed. */
  refusedLink?(stats: BigIntStats, path: string): Promise<string | undefined>;
  /** Filled by each walk, for the light ones after it. */
  listings?: Listings;
  /** Makes it a light walk. */
  passOver?: PassOver | undefined;
}

export interface PassOver {
  /** Whether nothing needs to be known of the file at this path. */
  isSettled(path: string): boolean;
  /** Settled files that are where they were, many at once. */
  passed(paths: readonly string[]): void;
}

/** What a directory contained. */
interface Listing {
  /** Identity and times of the directory before it was listed. */
  as: string;
  directories: Buffer[];
  /** Files that are streams. */
  files: string[];
}

/** By path of the directory. */
export type Listings = Map<string, Listing>;

/** The time of a directory that changed so recently may stay as it is at its next change: file systems have coarse clocks. */
const RECENT_MS = 2_500;

/** Directories read concurrently, so that the latency of a network file system does not add up. */
const DIRECTORIES = 4;
/** Concurrent stats in one directory. */
const STATS = 32;
/** Entries read ahead in one directory. Decoding a whole listing at once would block the event loop. */
const ENTRIES = 256;
/** Known names handled at once: few enough not to block the event loop. */
const BATCH = 1_024;
const SLASH = Buffer.from("/");
const DOT = Buffer.from(".");

interface Step {
  directory: AsyncGenerator<Seen[], void>;
  next: Promise<{ step: Step; result: IteratorResult<Seen[], void> }>;
}

export async function* rescan(walk: Walk): AsyncGenerator<Seen, void> {
  const pending: Buffer[] = [pathBuffer(walk.root)];
  const running = new Set<Step>();
  try {
    while (!walk.signal.aborted) {
      while (running.size < DIRECTORIES && pending.length > 0) begin(pending.pop());
      if (running.size === 0) return;
      const { step, result } = await Promise.race([...running].map(({ next }) => next));
      running.delete(step);
      if (result.done) continue;
      advance(step);
      yield* result.value;
    }
  } finally {
    // Close what is open if the consumer stops early.
    await Promise.all([...running].map(({ directory }) => directory.return()));
  }

  function begin(path: Buffer | undefined): void {
    if (path)
      advance({
        directory: readDirectory(walk, path, pending),
        next: Promise.withResolvers<never>().promise,
      });
  }

  function advance(step: Step): void {
    step.next = step.directory.next().then((result) => ({ step, result }));
    running.add(step);
  }
}

/** Yields the streams of one directory in batches, and adds its directories to `pending`. */
async function* readDirectory(walk: Walk, path: Buffer, pending: Buffer[]): AsyncGenerator<Seen[], void> {
  const { listings } = walk;
  const name = decodePath(path);
  const as = listings && (await stateOf(path, walk.nowMs()));
  const known = listings?.get(name);
  if (walk.passOver && known !== undefined && known.as === as) {
    pending.push(...known.directories);
    for (let at = 0; at < known.files.length && !walk.signal.aborted; at += BATCH)
      yield await lookAgain(walk, known.files.slice(at, at + BATCH), walk.passOver);
    return;
  }
  listings?.delete(name);
  const listing: Listing = { as: as ?? "", directories: [], files: [] };
  let complete = true;
  const noting: Walk = {
    ...walk,
    onUnreadable(unread, error) {
      complete = false;
      walk.onUnreadable(unread, error);
    },
  };
  for await (const seen of list(noting, path, listing.directories)) {
    yield seen;
    for (const one of seen) listing.files.push(one.path);
  }
  pending.push(...listing.directories);
  if (as !== undefined && complete && !walk.signal.aborted) listings?.set(name, listing);
}

async function* list(walk: Walk, path: Buffer, directories: Buffer[]): AsyncGenerator<Seen[], void> {
  let files: Buffer[] = [];
  for await (const entry of entries(walk, path)) {
    if (walk.signal.aborted) return;
    const below = Buffer.concat([path, path.at(-1) === SLASH[0] ? Buffer.alloc(0) : SLASH, entry.name]);
    if (entry.isFile()) files.push(below);
    else if (entry.isDirectory() && walk.filter.enters(decodePath(entry.name))) directories.push(below);
    else walk.onSkipped?.(entry.isDirectory() ? "hidden" : (kindOfEntry(entry) ?? "another kind"));
    if (files.length < STATS) continue;
    yield await look(walk, files);
    files = [];
  }
  if (files.length > 0) yield await look(walk, files);
}

/** Undefined if a later change of the directory may not show in it. */
async function stateOf(path: Buffer, nowMs: number): Promise<string | undefined> {
  try {
    // What a linked root leads to.
    const { dev, ino, mtimeNs, ctimeNs, mtimeMs } = await statPath(Buffer.concat([path, SLASH, DOT]));
    return nowMs - Number(mtimeMs) > RECENT_MS ? `${dev}:${ino}:${mtimeNs}:${ctimeNs}` : undefined;
  } catch (error) {
    systemError(error);
    return undefined;
  }
}

async function lookAgain(walk: Walk, paths: readonly string[], passOver: PassOver): Promise<Seen[]> {
  const seen: Seen[] = [];
  const others = paths.filter((path) => !passOver.isSettled(path));
  passOver.passed(others.length === 0 ? paths : paths.filter((path) => passOver.isSettled(path)));
  for (let at = 0; at < others.length; at += STATS)
    seen.push(...(await look(walk, others.slice(at, at + STATS).map(pathBuffer))));
  return seen;
}

async function* entries(walk: Walk, path: Buffer): AsyncGenerator<Dirent<Buffer>, void> {
  try {
    // The types allow only strings in a Dir; with this encoding the names of its entries are bytes.
    const options = { encoding: "buffer" as BufferEncoding, bufferSize: ENTRIES };
    yield* (await opendir(path, options)) as unknown as AsyncIterable<Dirent<Buffer>> & Dir;
  } catch (error) {
    if (!isMissing(error)) walk.onUnreadable(decodePath(path), error);
  }
}

async function look(walk: Walk, files: readonly Buffer[]): Promise<Seen[]> {
  const looks = await Promise.all(files.map((file) => inspect(walk, file)));
  return looks.filter((seen) => seen !== undefined);
}

async function inspect(walk: Walk, file: Buffer): Promise<Seen | undefined> {
  try {
    const stats = await statPath(file);
    const path = decodePath(file);
    const facts = factsOf(stats);
    const skip = kindOfEntry(stats) ?? walk.filter.refuse(path, facts, walk.nowMs());
    const refused = skip ?? (await walk.refusedLink?.(stats, path));
    if (refused === undefined) return { path, facts };
    walk.onSkipped?.(refused);
  } catch (error) {
    if (!isMissing(error)) walk.onUnreadable(decodePath(file), error);
  }
  return undefined;
}

const WORDS: Readonly<Record<Refusal, string>> = {
  hidden: "hidden",
  leftover: "left behind by an editor, NFS or fsck",
  marker: "markers",
  own: "being tidied",
  not_included: "not matched by SLUICE_INCLUDE",
  excluded: "matched by SLUICE_EXCLUDE",
  too_old: "older than SLUICE_IGNORE_OLDER_THAN",
};

/** These come and go during normal operation. */
const NOT_REPORTED: ReadonlySet<string> = new Set<Refusal>(["marker", "own"]);

/** Reports what a watch ignores once, and again only when it changes: neither silently nor on every walk. */
export class SkipReport {
  #counts = new Map<Skip, number>();
  #lastReport = "";

  count(reason: Skip): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  /** Ends a walk. Returns a sentence if it skipped other things than the walk before. */
  end(): string | undefined {
    const counts = [...this.#counts].filter(([reason]) => !NOT_REPORTED.has(reason));
    this.#counts = new Map();
    const parts = counts
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([reason, count]) => `${count} ${wordsFor(reason)}`);
    const text = parts.join(", ");
    if (text === this.#lastReport) return undefined;
    this.#lastReport = text;
    return text === "" ? "no files are ignored any longer" : `ignored: ${text}`;
  }
}

function wordsFor(reason: Skip): string {
  return WORDS[reason as Refusal] ?? `(${reason})`;
}
