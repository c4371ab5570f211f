/** What the worker sees of its watches: files, walks, events, and who else holds a file open. */
import type { Config, WatchConfig } from "@sluice/config";
import { DiskFileSource } from "../adapters/disk-file-source.ts";
import type { WorkerPorts } from "../worker-ports.ts";
import type { Log } from "../log.ts";
import { systemClock } from "../system-clock.ts";
import { DirectoryWatcher } from "../watch/directory-watcher.ts";
import { OpenForWrite } from "../watch/open-for-write.ts";
import { pathFilter, type PathFilter } from "../watch/path-filter.ts";
import { PathHints } from "../watch/path-hints.ts";
import { rescan } from "../watch/rescan.ts";
import { SkipReport } from "../watch/skip-report.ts";
import { rootIdentity } from "./check-watches.ts";

export interface WatchPorts extends Pick<
  WorkerPorts,
  "files" | "hints" | "walk" | "accepts" | "rootIdentity"
> {
  watchers: readonly DirectoryWatcher[];
  writers: OpenForWrite;
}

interface Rules {
  watch: WatchConfig;
  filter: PathFilter;
  skipped: SkipReport;
}

export function watchPorts(config: Config, log: Log): WatchPorts {
  const writers = new OpenForWrite(systemClock);
  const hints = new PathHints();
  const rules = new Map<string, Rules>(
    config.watches.map((watch) => [
      watch.name,
      { watch, filter: pathFilter(watch.root, watch), skipped: new SkipReport() },
    ]),
  );
  const rulesOf = (name: string): Rules => {
    const found = rules.get(name);
    if (!found) throw new Error(`there is no watch ${name}`);
    return found;
  };
  return {
    writers,
    hints,
    rootIdentity,
    files: new DiskFileSource({ roots: config.watches.map(({ root }) => root), writers }),
    accepts: ({ name }, path, facts) => rulesOf(name).filter.refuse(path, facts, Date.now()) === undefined,
    async *walk({ name, root }, signal) {
      const { filter, skipped } = rulesOf(name);
      yield* rescan({
        root,
        filter,
        signal,
        nowMs: Date.now,
        onUnreadable: (path, error) =>
          log.warn({ watch: name, path, err: String(error) }, "cannot be read; what is in it is unknown"),
        onSkipped: (reason) => skipped.count(reason),
      });
      const said = skipped.end();
      if (said !== undefined) log.info({ watch: name }, said);
    },
    watchers: [...rules.values()].map(
      ({ watch, filter }) =>
        new DirectoryWatcher({
          name: watch.name,
          root: watch.root,
          polling: watch.polling,
          hints,
          enters: (directory) => filter.enters(directory),
          log,
        }),
    ),
  };
}
