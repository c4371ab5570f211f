/**
 * A file is known by its inode and birth time, not by its path. The device counts only within one boot,
 * because device numbers change across reboots and remounts.
 */
import type { StreamRecord } from "./record.ts";

/** What one stat of a regular file says. Decimal text where numbers exceed 2^53. */
export interface FileFacts {
  size: number;
  inode: string;
  device: string;
  /** Absent where the file system keeps none. */
  birthtimeNs?: string;
  mtimeNs: string;
  ctimeNs: string;
}

export type Sameness =
  | { same: true; sure: boolean }
  | { same: false; because: "file_replaced" | "file_truncated" };

/**
 * Whether the file seen now is the one the record describes, and not shorter than what was sent.
 * `sure: false` asks for one more proof: the last uploaded part's bytes (no birth time, or a founding record).
 */
export function sameFile(record: KnownFile, seen: FileFacts, sentBytes: number): Sameness {
  if (record.file_inode !== undefined && record.file_inode !== seen.inode) {
    return { same: false, because: "file_replaced" };
  }
  const birthKnown = record.file_birthtime_ns !== undefined && seen.birthtimeNs !== undefined;
  if (birthKnown && record.file_birthtime_ns !== seen.birthtimeNs) {
    return { same: false, because: "file_replaced" };
  }
  if (seen.size < sentBytes) return { same: false, because: "file_truncated" };
  return { same: true, sure: record.file_inode !== undefined && birthKnown };
}

export type KnownFile = Pick<StreamRecord, "file_inode" | "file_birthtime_ns">;

/** Fields of the record that a stat fills. */
export function factsAsFields(facts: FileFacts) {
  return {
    file_size: facts.size,
    file_inode: facts.inode,
    file_device: facts.device,
    file_birthtime_ns: facts.birthtimeNs ?? null,
    file_mtime_ns: facts.mtimeNs,
    file_ctime_ns: facts.ctimeNs,
  };
}

/** Whether nothing about the file moved between two stats: the test around the verify pass. */
export function unchanged(before: FileFacts, after: FileFacts): boolean {
  return (
    before.size === after.size &&
    before.mtimeNs === after.mtimeNs &&
    before.ctimeNs === after.ctimeNs &&
    before.inode === after.inode &&
    before.birthtimeNs === after.birthtimeNs
  );
}

/** What `sluice-file` is the hash of: names the file to S3 without giving its path away. */
export function fileTokenText(source: string, facts: Pick<FileFacts, "inode" | "birthtimeNs">): string {
  return `${source}\n${facts.inode}\n${facts.birthtimeNs ?? ""}`;
}
