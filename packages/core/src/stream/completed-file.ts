/** Decides whether a completed file that is seen again at its path has changed, and how to find out. Pure. */
import { sameFile, type FileFacts } from "./identity.ts";
import type { StreamRecord } from "./record.ts";

/** What identifies a completed file, kept until a rescan finds it gone. */
export interface DoneEntry {
  stream_id: string;
  file_inode: string;
  file_birthtime_ns?: string;
  file_device?: string;
  /** Boot id for which `file_device` is valid. */
  file_boot?: string;
  file_size: number;
  file_mtime_ns: string;
  file_ctime_ns?: string;
  s3_bucket: string;
  s3_key: string;
  etag?: string;
  crc32?: string;
  completed_at_utc: string;
  /** A shorter file was at the path since: a file that grows there does not continue the completed one. */
  seen_shorter?: true;
  /** Longest pause between two writes, over all generations. */
  longest_pause_ms?: number;
}

export type CompletedVerdict =
  /** `renewed`: the entry with missing fields, or fields that changed with the last boot, filled in. */
  | { kind: "unchanged"; renewed?: DoneEntry }
  /** The size is unchanged: its CRC32 decides whether it changed. `urgent` unless only the ctime changed. */
  | { kind: "reread"; urgent: boolean }
  /** A new generation of the same file, if enough of its object is unchanged. */
  | { kind: "reopen" }
  /** Another recording. `shorter`: what grows here from now on does not continue the completed one. */
  | { kind: "another"; shorter: boolean };

/** Whether a file at the path of a completed one is the same, has grown, or is another. Pure. */
export function judgeCompleted(entry: DoneEntry, seen: FileFacts): CompletedVerdict {
  const same = sameFile(entry, seen, { at: "its_path" }).kind !== "other";
  if (entry.file_size !== seen.size || entry.crc32 === undefined) return judgeChanged(entry, seen);
  const written = entry.file_mtime_ns !== seen.mtimeNs;
  if (!same || written) return { kind: "reread", urgent: true };
  // Entries of early versions have no ctime to compare with.
  const moved = entry.file_ctime_ns !== undefined && entry.file_ctime_ns !== seen.ctimeNs;
  return moved ? { kind: "reread", urgent: false } : unchanged(entry, seen);
}

/** After a reread: the bytes differ from the object, or the object's are unknown. */
export function judgeChanged(entry: DoneEntry, seen: FileFacts): CompletedVerdict {
  const same = sameFile(entry, seen, { at: "its_path" }).kind !== "other";
  const asItWas =
    entry.file_size === seen.size &&
    entry.file_mtime_ns === seen.mtimeNs &&
    (entry.file_ctime_ns ?? seen.ctimeNs) === seen.ctimeNs;
  if (same && asItWas) return unchanged(entry, seen);
  const shorter = seen.size < entry.file_size;
  if (same && !shorter && entry.seen_shorter !== true) return { kind: "reopen" };
  return { kind: "another", shorter };
}

function unchanged(entry: DoneEntry, seen: FileFacts): CompletedVerdict {
  const known =
    entry.file_ctime_ns !== undefined && entry.file_device === seen.device && entry.file_boot === seen.boot;
  return known ? { kind: "unchanged" } : { kind: "unchanged", renewed: renewedEntry(entry, seen) };
}

/** The same completed file with its present identity and times. */
export function renewedEntry(entry: DoneEntry, seen: FileFacts): DoneEntry {
  const { file_birthtime_ns: _birth, file_boot: _boot, ...rest } = entry;
  return {
    ...rest,
    file_inode: seen.inode,
    file_device: seen.device,
    ...(seen.boot === undefined ? {} : { file_boot: seen.boot }),
    ...(seen.birthtimeNs === undefined ? {} : { file_birthtime_ns: seen.birthtimeNs }),
    file_size: seen.size,
    file_mtime_ns: seen.mtimeNs,
    file_ctime_ns: seen.ctimeNs,
  };
}

/**
 * The writer's pause between the end of one generation and the first write of the next, by the file's own times, or the
 * longest pause of the generations before.
 */
export function pauseBefore(entry: DoneEntry, seen: FileFacts): number {
  const pauseMs = Number((BigInt(seen.mtimeNs) - BigInt(entry.file_mtime_ns)) / 1_000_000n);
  return Math.max(0, pauseMs, entry.longest_pause_ms ?? 0);
}

/**
 * What a rescan identifies the file by. The next rescan drops a file that was deleted or moved away from `files:done`.
 */
export function doneEntry(record: StreamRecord, now: string): DoneEntry {
  return {
    stream_id: record.id,
    file_inode: record.file_inode ?? "",
    ...(record.file_birthtime_ns === undefined ? {} : { file_birthtime_ns: record.file_birthtime_ns }),
    ...(record.file_device === undefined ? {} : { file_device: record.file_device }),
    ...(record.file_boot === undefined ? {} : { file_boot: record.file_boot }),
    file_size: record.file_size,
    file_mtime_ns: record.file_mtime_ns ?? "",
    ...(record.file_ctime_ns === undefined ? {} : { file_ctime_ns: record.file_ctime_ns }),
    s3_bucket: record.s3_bucket,
    s3_key: record.s3_key ?? "",
    ...(record.etag === undefined ? {} : { etag: record.etag }),
    ...(record.crc32 === undefined ? {} : { crc32: record.crc32 }),
    completed_at_utc: now,
    ...(record.longest_pause_ms > 0 ? { longest_pause_ms: record.longest_pause_ms } : {}),
  };
}
