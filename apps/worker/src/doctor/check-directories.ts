/**
 * Gathers the facts about every watch and its file system. Reads only names, and a limited number of them, never
 * contents.
 */
import { constants } from "node:fs";
import { access, lstat, readdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Config, WatchConfig } from "@sluice/config";
import { decodePath } from "@sluice/core";
import { birthTimesAreKept } from "../files/file-facts.ts";
import { pathBuffer } from "../files/path-buffer.ts";
import { isMissing } from "../files/system-error.ts";
import { unusableWatches } from "../start/check-watches.ts";
import { systemClock } from "@sluice/control/system-clock";
import { diskSpace } from "../files/disk-space.ts";
import { isFilling } from "../observe/disk-forecast.ts";
import { silentFileSystem } from "../files/watch/network-fs.ts";
import { OpenForWrite } from "../files/writers/open-for-write.ts";
import { pathFilter, type PathFilter } from "../files/watch/path-filter.ts";
import { directoryFindings, systemFindings, type DirectoryFacts, type Survey } from "./directory-findings.ts";
import type { Finding } from "./finding.ts";

/** Entries checked per watch. */
const MOST_ENTRIES = 100_000;
/** A network file system that hangs never answers. */
const SPACE_MS = 5_000;
const SLASH = Buffer.from("/");
const NOTHING: Survey = { directories: 0, files: 0, unreadable: 0, cut: false };

export async function checkDirectories(config: Config): Promise<Finding[]> {
  const facts: DirectoryFacts[] = [];
  for (const watch of config.watches) facts.push(await inspect(watch, config));
  const system = {
    maxUserWatches: await limit("max_user_watches"),
    maxUserInstances: await limit("max_user_instances"),
    visibility: await new OpenForWrite(systemClock).visibility(),
  };
  return [
    ...facts.flatMap(directoryFindings),
    ...systemFindings(
      system,
      facts.map(({ survey }) => survey),
    ),
  ];
}

async function inspect(watch: WatchConfig, config: Config): Promise<DirectoryFacts> {
  const { name, root, afterUpload, polling, ignoreOpen } = watch;
  const [unusable] = await unusableWatches([watch]);
  const target = afterUpload.kind === "move" ? afterUpload.directory : undefined;
  return {
    name,
    root,
    unusable,
    silent: await silentFileSystem(root),
    polling,
    rescanIntervalMs: config.rescanIntervalMs,
    survey: unusable === undefined ? await survey(root, pathFilter(root, watch)) : NOTHING,
    birthTimes: birthTimesAreKept() && (await keepsBirthTimes(root)),
    tidies: afterUpload.kind !== "keep",
    writable: await may(root, constants.W_OK | constants.X_OK),
    unusableTarget: target === undefined || (await canBeMade(target)) ? undefined : target,
    ignoreOpen,
    space: await spaceOf(watch, config),
  };
}

/** One look gives no rate: when the disk is full, only a worker says. */
async function spaceOf({ name, root }: WatchConfig, config: Config): Promise<DirectoryFacts["space"]> {
  const answered = new AbortController();
  const late = systemClock.sleep(SPACE_MS, answered.signal);
  const space = await Promise.race([diskSpace(root), late]).finally(() => answered.abort());
  if (!space) return undefined;
  const { freeBytes: free_bytes, totalBytes: total_bytes } = space;
  const filling = isFilling(space, undefined, config.freeSpaceWarning, false);
  const since = filling ? { filling_since_utc: new Date().toISOString() } : {};
  return { watch: name, free_bytes, total_bytes, ...since };
}

async function survey(root: string, filter: PathFilter): Promise<Survey> {
  const found: Survey = { ...NOTHING };
  const pending: Buffer[] = [pathBuffer(root)];
  for (let directory = pending.pop(); directory; directory = pending.pop()) {
    found.directories += 1;
    const entries = await readdir(directory, { withFileTypes: true, encoding: "buffer" }).catch(
      (error: unknown) => {
        if (!isMissing(error)) found.unreadable += 1;
        return [];
      },
    );
    for (const entry of entries) {
      const path = Buffer.concat([directory, SLASH, entry.name]);
      if (entry.isDirectory() && filter.enters(decodePath(entry.name))) pending.push(path);
      if (!entry.isFile()) continue;
      found.files += 1;
      if (!(await may(path, constants.R_OK))) found.unreadable += 1;
      if (found.files + found.directories >= MOST_ENTRIES) return { ...found, cut: true };
    }
  }
  return found;
}

async function keepsBirthTimes(root: string): Promise<boolean> {
  try {
    return (await lstat(pathBuffer(root), { bigint: true })).birthtimeNs !== 0n;
  } catch {
    return true; // a missing root has a finding of its own
  }
}

/** Whether the directory, or the nearest existing one above it, is writable: it is created when it is needed. */
async function canBeMade(directory: string): Promise<boolean> {
  for (let at = directory; ; at = dirname(at)) {
    const stats = await lstat(pathBuffer(at)).catch(() => undefined);
    if (stats !== undefined || at === dirname(at)) return await may(at, constants.W_OK | constants.X_OK);
  }
}

/** A file that was removed meanwhile counts as allowed. */
async function may(path: string | Buffer, mode: number): Promise<boolean> {
  try {
    await access(typeof path === "string" ? pathBuffer(path) : path, mode);
    return true;
  } catch (error) {
    return isMissing(error) && mode === constants.R_OK;
  }
}

/** Undefined on systems without inotify. */
async function limit(name: string): Promise<number | undefined> {
  try {
    return Number(await readFile(`/proc/sys/fs/inotify/${name}`, "latin1"));
  } catch (error) {
    if (!isMissing(error)) throw error;
    return undefined;
  }
}
