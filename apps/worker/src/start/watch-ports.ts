/** The worker's access to its watches: files, walks, events, and the processes that hold a file open. */
import type { Config, WatchConfig } from "@sluice/config";
import { displayPath, type WriterProbe } from "@sluice/core";
import { trouble } from "@sluice/control/troubles";
import { DiskFileSource } from "../files/disk-file-source.ts";
import { diskSpace } from "../files/disk-space.ts";
import { DiskFileTidier } from "../files/tidy/disk-file-tidier.ts";
import { isUnder } from "../files/path-buffer.ts";
import { recoverTidying } from "../files/tidy/recover-tidying.ts";
import type { WorkerPorts } from "./worker-ports.ts";
import type { Log } from "../observe/log.ts";
import { DirectoryWatcher } from "../files/watch/directory-watcher.ts";
import { pathFilter, type PathFilter } from "../files/watch/path-filter.ts";
import { PathHints } from "../files/watch/hints.ts";
import { refusedLink } from "../files/hard-links.ts";
import { rescan, SkipReport, type Listings } from "../files/watch/rescan.ts";
import { rootIdentity } from "./check-watches.ts";

export interface WatchPorts extends Pick<
  WorkerPorts,
  "files" | "tidier" | "hints" | "walk" | "accepts" | "rootIdentity" | "followsEvents" | "diskSpace"
> {
  watchers: readonly DirectoryWatcher[];
  /** Files of a watch that the last walk left alone for being hard links. */
  refusedLinks(watch: string): number;
}

interface Rules {
  watch: WatchConfig;
  filter: PathFilter;
  skipped: SkipReport;
  links: RefusedLinks;
  /** As the last walk found the directories. */
  listings: Listings;
  /** Identity of the root, as JSON, whose crash leftovers were restored. */
  recovered: string;
}

/** `writers`: which processes hold a file open. */
export function watchPorts(config: Config, log: Log, writers: WriterProbe): WatchPorts {
  const hints = new PathHints();
  const rules = new Map<string, Rules>(
    config.watches.map((watch) => [
      watch.name,
      {
        watch,
        filter: pathFilter(watch.root, watch),
        skipped: new SkipReport(),
        links: new RefusedLinks(),
        listings: new Map(),
        recovered: "",
      },
    ]),
  );
  const rulesOf = (name: string): Rules => {
    const found = rules.get(name);
    if (!found) throw new Error(`unknown watch ${name}`);
    return found;
  };
  const tidier = new DiskFileTidier({ writers: respecting(config.watches, writers) });
  /**
   * Runs once for each directory at the root: at the start, and when another volume is mounted. And after a file could
   * not be restored: its volume may have gone away in between and be the same when it is back, or it is full.
   */
  async function recover(rule: Rules): Promise<void> {
    const { root, name } = rule.watch;
    const now = JSON.stringify(await rootIdentity(root));
    if (now === rule.recovered && !tidier.takeLeft(root)) return;
    rule.recovered = now;
    const { putBack, problems, left } = await recoverTidying(root, tidier.busy);
    if (left) rule.recovered = "";
    for (const path of putBack) {
      log.info(
        { watch: name, path: displayPath(path) },
        "a file whose tidying was interrupted was restored under its name",
      );
    }
    for (const err of problems) log.warn({ watch: name, err }, "leftovers of tidying cannot be searched for");
  }
  const watchers = new Map(
    [...rules.values()].map(({ watch, filter }) => [
      watch.name,
      new DirectoryWatcher({
        name: watch.name,
        root: watch.root,
        polling: watch.polling,
        hints,
        enters: (directory) => filter.enters(directory),
        log,
      }),
    ]),
  );
  return {
    tidier,
    hints,
    rootIdentity,
    diskSpace,
    files: new DiskFileSource({ watches: config.watches, writers }),
    accepts: ({ name }, path, facts) => rulesOf(name).filter.refuse(path, facts, Date.now()) === undefined,
    async *walk({ name, root }, signal, passOver) {
      const rule = rulesOf(name);
      const { filter, skipped, links, listings, watch } = rule;
      await recover(rule);
      if (passOver) {
        // What it ignores is counted and named by the walks that look at everything.
        yield* rescan({
          root,
          filter,
          signal,
          listings,
          passOver,
          nowMs: Date.now,
          onUnreadable: () => undefined,
          refusedLink: async (stats, path) => await refusedLink(stats, path, watch.hardlinks),
        });
        return;
      }
      listings.clear();
      yield* rescan({
        root,
        filter,
        signal,
        listings,
        nowMs: Date.now,
        onUnreadable: (path, error) =>
          log.warn(
            { watch: name, path, err: String(error), ...trouble("directory_unreadable") },
            "cannot be read; its content is unknown",
          ),
        onSkipped: (reason) => skipped.count(reason),
        async refusedLink(stats, path) {
          const why = await refusedLink(stats, path, watch.hardlinks);
          if (why !== undefined && links.isNew(path))
            log.warn({ watch: name, path: displayPath(path), why }, "a file is left alone");
          return why;
        },
      });
      links.end();
      const said = skipped.end();
      if (said !== undefined) log.info({ watch: name }, said);
    },
    watchers: [...watchers.values()],
    refusedLinks: (name) => rulesOf(name).links.count,
    followsEvents({ name }) {
      const watcher = watchers.get(name);
      return watcher?.reportsAll === true && watcher.switches;
    },
  };
}

/** Each is named once while it stays one; a directory full of them only by its first few, and by their number. */
class RefusedLinks {
  static readonly NAMED = 100;
  #before = new Set<string>();
  #now = new Set<string>();
  count = 0;
  #seen = 0;

  /** Whether it is to be named. */
  isNew(path: string): boolean {
    this.#seen += 1;
    if (this.#now.size >= RefusedLinks.NAMED) return false;
    this.#now.add(path);
    return !this.#before.has(path);
  }

  /** Ends a walk. */
  end(): void {
    this.count = this.#seen;
    this.#seen = 0;
    this.#before = this.#now;
    this.#now = new Set();
  }
}

/** SLUICE_IGNORE_OPEN applies to tidying as it does to completion. */
function respecting(watches: readonly WatchConfig[], writers: WriterProbe): WriterProbe {
  return {
    async openForWriting(path, facts, options) {
      const watch = watches.find(({ root }) => isUnder(root, path));
      return watch?.ignoreOpen ? { kind: "closed" } : await writers.openForWriting(path, facts, options);
    },
  };
}
