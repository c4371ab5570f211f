/**
 * Whether a watch can be read, followed and tidied, and whether writers can be seen. Pure: the facts are gathered
 * elsewhere.
 */
import { formatDuration } from "@sluice/config";
import { FILLING_REMEDY, spaceWords } from "@sluice/control/disk-space";
import type { WatchSpace } from "@sluice/redis-schema";
import type { UnusableWatch } from "../start/check-watches.ts";
import type { Visibility } from "../files/writers/process-visibility.ts";
import { plural } from "@sluice/control/units";
import { finding, ok, type Finding } from "./finding.ts";

export interface DirectoryFacts {
  name: string;
  root: string;
  /** Why it cannot be used at all. */
  unusable: UnusableWatch | undefined;
  /** Why the file system reports no events. */
  silent: string | undefined;
  polling: "auto" | "on" | "off";
  rescanIntervalMs: number;
  survey: Survey;
  /** Whether the file system stores birth times. */
  birthTimes: boolean;
  /** Files are deleted or moved after their upload. */
  tidies: boolean;
  /** The root is writable. */
  writable: boolean;
  /** Where files are moved to, if that cannot be written. */
  unusableTarget: string | undefined;
  ignoreOpen: boolean;
  /** Of its disk now; undefined if it is not known. `filling_since_utc`: SLUICE_FREE_SPACE_WARNING asks for a warning. */
  space: WatchSpace | undefined;
}

export interface Survey {
  directories: number;
  files: number;
  /** Directories and files that this user cannot read. */
  unreadable: number;
  /** The walk stopped at its limit: there are more entries. */
  cut: boolean;
}

export interface SystemFacts {
  /** fs.inotify.*; undefined on systems without inotify. */
  maxUserWatches: number | undefined;
  maxUserInstances: number | undefined;
  visibility: Visibility;
}

/** Share of the user's watches: other programs need some too. */
const MANY = 0.5;
/** Each of our watches needs one instance. */
const FEW_INSTANCES = 16;

/** "watch rec is not there" → "Watch rec is not there." */
function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

export function directoryFindings(facts: DirectoryFacts): Finding[] {
  const { name, root, unusable, survey } = facts;
  if (unusable !== undefined) {
    const { what, remedy } = unusable;
    return [finding("directory.unusable", "error", sentence(what), sentence(remedy))];
  }
  const more = survey.cut ? "at least " : "";
  const found = `${more}${plural(survey.files, "file")} in ${plural(survey.directories, "directory", "directories")}`;
  const findings = [ok("directory.readable", `Watch ${name}, ${root}: ${found}.`), events(facts)];
  if (survey.unreadable > 0) {
    const seen = `Watch ${name}: ${plural(survey.unreadable, "file or directory", "files or directories")} cannot be read.`;
    findings.push(
      finding(
        "directory.unreadable_files",
        "warning",
        seen,
        "Let the worker's user read them: run it as the writer's user or in its group.",
      ),
    );
  }
  if (!facts.birthTimes) {
    const seen = `Watch ${name}: the file system keeps no birth times; files are identified by inode and the bytes of the last part.`;
    findings.push(finding("directory.no_birth_times", "info", seen));
  }
  if (facts.ignoreOpen) {
    const seen = `Watch ${name}: open writers are ignored (SLUICE_IGNORE_OPEN); files are complete when they are quiet.`;
    findings.push(finding("directory.ignores_open", "info", seen));
  }
  return [...findings, freeSpace(facts), ...tidying(facts)];
}

function events({ name, silent, polling, rescanIntervalMs }: DirectoryFacts): Finding {
  const late = formatDuration(rescanIntervalMs);
  if (polling === "on")
    return finding(
      "directory.polled",
      "info",
      `Watch ${name}: polling is on; changes are found every ${late}.`,
    );
  if (silent === undefined) return ok("directory.events", `Watch ${name}: file events are reported.`);
  if (polling === "off") {
    const seen = `Watch ${name}: ${silent}, and SLUICE_POLLING is off.`;
    return finding(
      "directory.events_missed",
      "warning",
      seen,
      `Set SLUICE_POLLING=auto; until then the rescan finds changes every ${late}.`,
    );
  }
  const seen = `Watch ${name}: ${silent}; changes are found by the rescan, every ${late}.`;
  return finding(
    "directory.network_fs",
    "warning",
    seen,
    "No action is needed; SLUICE_RESCAN_INTERVAL limits how late a change is noticed.",
  );
}

function freeSpace({ name, space }: DirectoryFacts): Finding {
  if (space === undefined) {
    const seen = `Watch ${name}: its file system does not say how much space is free.`;
    return finding("directory.space_unknown", "info", seen, "Watch it by other means.");
  }
  const seen = `Watch ${name}: ${spaceWords(space)}.`;
  if (space.filling_since_utc === undefined) return ok("directory.space", seen);
  return finding("directory.space_low", "warning", seen, FILLING_REMEDY);
}

function tidying({ name, root, tidies, writable, unusableTarget }: DirectoryFacts): Finding[] {
  if (!tidies) return [];
  const findings: Finding[] = [];
  if (!writable) {
    const seen = `Watch ${name}: files should be deleted or moved after their upload, but ${root} is not writable.`;
    findings.push(
      finding(
        "directory.not_writable",
        "error",
        seen,
        "Give the worker's user write access, or set SLUICE_AFTER_UPLOAD=keep.",
      ),
    );
  }
  if (unusableTarget !== undefined) {
    const seen = `Watch ${name}: files should be moved to ${unusableTarget}, which cannot be created or written.`;
    findings.push(
      finding("directory.no_target", "error", seen, "Create it, and give the worker's user write access."),
    );
  }
  return findings;
}

export function systemFindings(facts: SystemFacts, surveys: readonly Survey[]): Finding[] {
  return [inotify(facts, surveys), instances(facts), writers(facts.visibility)].filter(
    (one) => one !== undefined,
  );
}

function inotify({ maxUserWatches: most }: SystemFacts, surveys: readonly Survey[]): Finding | undefined {
  if (most === undefined) return undefined;
  const needed = surveys.reduce((sum, { directories }) => sum + directories, 0);
  const seen = `${plural(needed, "directory needs a watch", "directories need a watch")}; the system allows ${most} per user.`;
  if (needed < MANY * most) return ok("system.inotify_watches", seen);
  const remedy = `sysctl fs.inotify.max_user_watches=${Math.max(524_288, 4 * needed)} (on the host); until then the rescan finds what events miss.`;
  return finding("system.inotify_watches_few", "warning", seen, remedy);
}

function instances({ maxUserInstances: most }: SystemFacts): Finding | undefined {
  if (most === undefined) return undefined;
  const seen = `The system allows ${most} inotify instances per user.`;
  if (most >= FEW_INSTANCES) return ok("system.inotify_instances", seen);
  return finding(
    "system.inotify_instances_few",
    "warning",
    seen,
    "sysctl fs.inotify.max_user_instances=128 (on the host).",
  );
}

function writers({ seen, detail }: Visibility): Finding {
  if (seen === "all") return ok("system.writers_seen", detail);
  const remedy =
    "Else a file counts as complete when it is quiet: give SLUICE_IDLE_TIMEOUT enough time, or use markers. SLUICE_AFTER_UPLOAD=delete and move leave such files where they are, unless SLUICE_TIDY_UNSEEN=true.";
  return finding(
    seen === "some" ? "system.writers_partly_seen" : "system.writers_not_seen",
    "warning",
    detail,
    remedy,
  );
}
