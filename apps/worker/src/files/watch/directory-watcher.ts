/**
 * File events only make discovery faster: each one just adds a path to the hints. Where there are no events (network
 * file systems, an exhausted watch limit) the rescan finds everything, and the state says why.
 */
import { lstat, readdir, realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import { lstatSync, type Stats } from "node:fs";
import { LIMITS, decodePath, displayPath, isEscaped } from "@sluice/core";
import { watch, type FSWatcher } from "chokidar";
import { trouble } from "@sluice/control/troubles";
import { isUnder, pathBuffer } from "../path-buffer.ts";
import { isMissing, systemError } from "../system-error.ts";
import type { Service } from "../../start/service.ts";
import { BusyDirectories, PACE, type Pace } from "./busy-directories.ts";
import { silentFileSystem } from "./network-fs.ts";

export type WatchingState = { kind: "events" } | { kind: "polling"; reason: string };

export interface DirectoryWatcherOptions {
  /** The watch's name and directory. */
  name: string;
  root: string;
  polling: "auto" | "on" | "off";
  hints: { add(path: string, written?: boolean): void };
  /** Whether a directory of this name is walked at all. */
  enters(name: string): boolean;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** chokidar's `watch`. */
  follow?: typeof watch;
  /** When a directory is followed by a timer instead. */
  pace?: Pace;
}

/** The system refuses another inotify watch or instance. */
const EXHAUSTED: ReadonlySet<string> = new Set(["ENOSPC", "EMFILE", "ENFILE", "ENOMEM"]);
/** A directory that may not be read. */
const FORBIDDEN: ReadonlySet<string> = new Set(["EACCES", "EPERM"]);
/** How often the root is checked for having been replaced by another directory. */
const CHECK_ROOT_MS = 10_000;
/** What a decoder puts in place of bytes that are not UTF-8. */
const REPLACEMENT = "\ufffd";
/** A directory with such names is listed at most this often. */
const LIST_AGAIN_MS = 1_000;

export class DirectoryWatcher implements Service {
  readonly name: string;
  readonly #options: DirectoryWatcherOptions;
  #state: WatchingState = { kind: "polling", reason: "not started yet" };
  #watcher: FSWatcher | undefined;
  #followed = "";
  /** Every directory that existed when watching began is followed. */
  #ready = false;
  /** A directory could not be followed since watching began. */
  #isBlind = false;
  #busy: BusyDirectories | undefined;
  #switches = 0;
  #stopped = false;
  #check: NodeJS.Timeout | undefined;
  /** Directories that will be listed soon, because of names that events cannot represent. */
  readonly #toList = new Map<string, NodeJS.Timeout>();

  constructor(options: DirectoryWatcherOptions) {
    this.name = `watcher of ${options.name}`;
    this.#options = options;
  }

  get state(): WatchingState {
    return this.#state;
  }

  /** Whether every change is reported, by events or by a timer: no directory failed to be followed. */
  get reportsAll(): boolean {
    return this.#state.kind === "events" && this.#ready && !this.#isBlind;
  }

  /** How often what reports changes has changed: a directory went from events to a timer, or back. */
  get switches(): number {
    return this.#switches;
  }

  /** Resolves when every existing directory is followed, or when it is clear that none will be. */
  async start(signal: AbortSignal): Promise<void> {
    const { polling, root } = this.#options;
    const silent = polling === "auto" ? await silentFileSystem(root) : undefined;
    if (polling === "on") return this.#poll("SLUICE_POLLING is on");
    if (silent !== undefined) return this.#poll(silent);
    if (signal.aborted) return;
    await this.#follow();
    this.#check = setInterval(() => void this.checkRoot(), CHECK_ROOT_MS).unref();
  }

  /** A newly mounted volume is another directory, about which the old watches get no events: watching is restarted. */
  async checkRoot(): Promise<void> {
    if (this.#watcher === undefined) return;
    const now = await identityOf(this.#options.root);
    if (now === "" || now === this.#followed) return;
    await this.#followAnew();
    this.#options.log.info(
      { watch: this.#options.name, root: this.#options.root },
      "the directory was replaced; watching is restarted",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#check);
    await this.#unfollow();
  }

  async #followAnew(): Promise<void> {
    await this.#unfollow();
    this.#switches += 1;
    if (!this.#stopped) await this.#follow();
  }

  async #follow(): Promise<void> {
    const { root, enters, follow = watch } = this.#options;
    this.#state = { kind: "events" };
    this.#isBlind = false;
    this.#followed = await identityOf(root);
    // A root that is a link: chokidar follows no links, so it is given the directory itself.
    const real = await realRoot(root);
    const asConfigured = (path: string): string => root + path.slice(real.length);
    const tree = new DirectoryTree(real, enters);
    const watcher = follow(real, {
      backend: "native",
      ignored: (path, stats) => tree.ignores(path, stats),
      ignoreInitial: true,
      followSymlinks: false,
      atomic: false,
    });
    this.#watcher = watcher;
    const busy = this.#followBusy(watcher, tree, asConfigured);
    watcher.on("raw", (event, name, details) => {
      const directory = watchedPath(details);
      // While the root is missing, chokidar watches a directory above it.
      if (directory === undefined || (directory !== real && !isUnder(real, directory))) return;
      if (event === "rename" && name !== null && !tree.appeared(join(directory, name))) this.#isBlind = true;
      if (event === "change") busy.changed(directory);
      this.#onEvent(asConfigured(directory), name, event === "change");
    });
    // Files may have been made in it before it was followed.
    watcher.on("addDir", (path) => void this.#hintAll(asConfigured(path), () => true));
    watcher.on("unlinkDir", (path) => {
      tree.removed(path);
      busy.forget(path);
    });
    await new Promise<void>((resolve) => {
      watcher.once("ready", resolve);
      watcher.on("error", (error) => {
        this.#onError(error);
        // A watcher that was closed never becomes ready.
        if (this.#watcher !== watcher) resolve();
      });
    });
    this.#ready = this.#watcher === watcher;
  }

  #followBusy(
    watcher: FSWatcher,
    tree: DirectoryTree,
    asConfigured: (path: string) => string,
  ): BusyDirectories {
    const { name: watchName, enters, pace = PACE, log } = this.#options;
    const busy = new BusyDirectories({
      pace,
      enters,
      unwatch: (directory) => watcher.unwatch(directory),
      watch: (directories) => watcher.add(directories),
      watched: () => new Set(Object.keys(watcher.getWatched())),
      restart: () => void this.#followAnew().catch((error: unknown) => this.#onError(error)),
      onChange: (directory, name, written) => this.#onEvent(asConfigured(directory), name, written),
      onGone: (directory) => {
        tree.removed(directory);
        busy.forget(directory);
      },
      onSwitch: () => void (this.#switches += 1),
      onTaken: (directory) =>
        log.info(
          { watch: watchName, path: displayPath(asConfigured(directory)) },
          "files are written so often here that a timer looks at them instead of events",
        ),
      onError: (error) => this.#onError(error),
    });
    this.#busy = busy;
    return busy;
  }

  #onEvent(directory: string, name: string | null, written: boolean): void {
    if (name === null || name.includes(REPLACEMENT)) this.#listSoon(directory);
    else this.#options.hints.add(join(directory, name), written);
  }

  #onError(error: unknown): void {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const { log, name, root } = this.#options;
    if (!EXHAUSTED.has(code)) {
      this.#isBlind = true;
      // The walk reports what it may not read.
      if (FORBIDDEN.has(code)) return;
      log.warn(
        { watch: name, root, err: String(error), ...trouble("watch_not_followed") },
        "a directory cannot be followed; the rescan covers it",
      );
      return;
    }
    void this.#unfollow();
    this.#poll(`the system's limit of file watches is reached (${code}); raise fs.inotify.max_user_watches`);
  }

  #poll(reason: string): void {
    this.#state = { kind: "polling", reason };
    const { log, name, root } = this.#options;
    log.info({ watch: name, root, reason }, "changes are found by the rescan alone");
  }

  /** Names that are not UTF-8 arrive garbled in events; a listing has their bytes. */
  #listSoon(directory: string): void {
    if (this.#toList.has(directory)) return;
    const timer = setTimeout(() => {
      this.#toList.delete(directory);
      void this.#hintAll(directory, isEscaped);
    }, LIST_AGAIN_MS).unref();
    this.#toList.set(directory, timer);
  }

  async #hintAll(directory: string, wanted: (name: string) => boolean): Promise<void> {
    const { hints, log } = this.#options;
    try {
      const names = await readdir(pathBuffer(directory), { encoding: "buffer" });
      // Larger directories are left to the rescan.
      const few = names.slice(0, LIMITS.pathHints).map(decodePath);
      for (const name of few.filter(wanted)) hints.add(join(directory, name));
    } catch (error) {
      if (!isMissing(error))
        log.warn(
          { path: directory, err: systemError(error).message, ...trouble("directory_unreadable") },
          "a directory cannot be read",
        );
    }
  }

  async #unfollow(): Promise<void> {
    for (const timer of this.#toList.values()) clearTimeout(timer);
    this.#toList.clear();
    const watcher = this.#watcher;
    this.#watcher = undefined;
    this.#ready = false;
    this.#busy?.close();
    await watcher?.close();
  }
}

/** Identity of the directory that a linked root leads to. Empty if there is none. */
async function identityOf(root: string): Promise<string> {
  try {
    const stats = await lstat(pathBuffer(`${root}/.`), { bigint: true });
    return `${stats.dev}:${stats.ino}:${stats.birthtimeNs}`;
  } catch (error) {
    systemError(error);
    return "";
  }
}

/** The unresolved path if there is no such directory. */
async function realRoot(root: string): Promise<string> {
  try {
    return await realpath(root);
  } catch (error) {
    systemError(error);
    return root;
  }
}

/** The directory a raw event came from. */
function watchedPath(details: unknown): string | undefined {
  if (typeof details !== "object" || details === null || !("watchedPath" in details)) return undefined;
  return typeof details.watchedPath === "string" ? details.watchedPath : undefined;
}

/** Maximum number of names that were just created or removed; beyond it, the rescan finds new directories. */
const UNDECIDED = 50_000;

/**
 * What chokidar follows: directories, nothing else. One inotify watch on a directory already reports every change of
 * every file in it, so files cost no watch, no memory and no extra stat. Decided without a system call, except for a
 * name that was just created, removed or renamed.
 */
export class DirectoryTree {
  readonly #root: string;
  readonly #enters: (name: string) => boolean;
  readonly #directories: Set<string>;
  /** Possible directories: an event named them, and they have not been checked yet. */
  readonly #undecided = new Set<string>();

  constructor(root: string, enters: (name: string) => boolean) {
    this.#root = root;
    this.#enters = enters;
    this.#directories = new Set([root]);
  }

  /** The entry was created, removed, or renamed. False: too many were; if it is a directory, it is not followed. */
  appeared(path: string): boolean {
    if (this.#directories.has(path) || this.#undecided.has(path)) return true;
    if (this.#undecided.size >= UNDECIDED) return false;
    this.#undecided.add(path);
    return true;
  }

  removed(directory: string): void {
    if (directory !== this.#root) this.#directories.delete(directory);
  }

  /** Called by chokidar; `stats` only if it has called stat itself. */
  ignores(path: string, stats?: Pick<Stats, "isDirectory">): boolean {
    if (stats) return !this.#decide(path, stats.isDirectory());
    if (this.#directories.has(path)) return false;
    // A change inside a file, or a removed file: if it were not ignored here, chokidar would list its directory.
    if (!this.#undecided.has(path)) return true;
    return !this.#decide(path, lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true);
  }

  #decide(path: string, isDirectory: boolean): boolean {
    this.#undecided.delete(path);
    const followed = isDirectory && (path === this.#root || this.#enters(basename(path)));
    if (followed) this.#directories.add(path);
    return followed;
  }
}
