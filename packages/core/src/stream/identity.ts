/**
 * Decides whether two files are the same. The only function for that, used for sightings, reopening, renames,
 * whereabouts and recognition.
 *
 * Inode and birth time together identify a file permanently, if the file system stores both. Without a birth time an
 * inode number proves nothing, because the next file may get the number of a removed one. There a file is identified by
 * its path and its bytes, which the caller must read. The device counts only within one boot, because device numbers
 * change across reboots.
 */
import type { StreamRecord } from "./record.ts";
import type { SourceState } from "./source-state.ts";

/** The result of a stat of a regular file. Decimal text for numbers that may exceed 2^53. */
export interface FileFacts {
  size: number;
  inode: string;
  device: string;
  /** The boot during which `device` means this volume; absent if unknown, and then the device is ignored. */
  boot?: string;
  /**
   * Absent if the file system stores none, or stores it but assigns new inode numbers to files (FUSE, FAT, exFAT): a
   * birth time is given only if it proves something together with the inode number.
   */
  birthtimeNs?: string;
  mtimeNs: string;
  ctimeNs: string;
}

/** How records and entries in Redis describe a file. An absent field is unknown. */
export interface KnownFile {
  file_inode?: string | undefined;
  file_birthtime_ns?: string | undefined;
  file_device?: string | undefined;
  file_boot?: string | undefined;
  file_size?: number | undefined;
  file_mtime_ns?: string | undefined;
}

export interface SamenessQuestion {
  /** Where the file is seen: at its known path, or at another one, as after a rename or through a second link. */
  at: "its_path" | "another_path";
  /** Bytes of it that S3 has: a file that is shorter now is not the one that was sent. */
  sentBytes?: number;
  /** The known file is completed, so its size and mtime are valid as long as nothing changed it. */
  completed?: boolean;
}

export type Sameness =
  | { kind: "same" }
  /**
   * Only the bytes can decide: the last acknowledged part and the first 64 KiB of a live file; size, mtime and CRC32 of
   * a completed one.
   */
  | { kind: "ask_bytes" }
  | { kind: "other"; because: "file_replaced" | "file_truncated" };

const REPLACED: Sameness = { kind: "other", because: "file_replaced" };

/** Whether the file seen now is the known one, and not shorter than what was sent of it. */
export function sameFile(known: KnownFile, seen: FileFacts, question: SamenessQuestion): Sameness {
  const identity = sameIdentity(known, seen, question);
  if (identity.kind === "other") return identity;
  return seen.size < (question.sentBytes ?? 0) ? { kind: "other", because: "file_truncated" } : identity;
}

function sameIdentity(known: KnownFile, seen: FileFacts, { at, completed }: SamenessQuestion): Sameness {
  const sameInode = known.file_inode === seen.inode;
  const sameDevice = !onOtherDevices(known, seen);
  if (known.file_inode !== undefined && provesIdentity(known, seen)) {
    if (!sameInode || known.file_birthtime_ns !== seen.birthtimeNs) return REPLACED;
    if (sameDevice) return { kind: "same" };
    // A volume may get another number when it is mounted again. A second volume may be a copy of the first.
    return at === "its_path" ? { kind: "ask_bytes" } : REPLACED;
  }
  if (at === "its_path") return { kind: "ask_bytes" };
  const untouched = known.file_size === seen.size && known.file_mtime_ns === seen.mtimeNs;
  const likely = sameInode && sameDevice && (completed !== true || untouched);
  return likely ? { kind: "ask_bytes" } : REPLACED;
}

type Seen = { kind: "file"; facts: FileFacts } | { kind: "missing" | "not_a_stream" | "unreadable" };

/** What one look at the path says. `sentBytes`: a file that is shorter than what was sent is not the one that was sent. */
export function sourceStateOf(file: KnownFile, look: Seen, sentBytes: number): SourceState {
  switch (look.kind) {
    case "file":
      return sameFile(file, look.facts, { at: "its_path", sentBytes }).kind === "other"
        ? "replaced"
        : "present";
    case "missing":
    case "not_a_stream":
      return "missing";
    case "unreadable":
      return "unknown";
  }
}

function provesIdentity(known: KnownFile, seen: FileFacts): boolean {
  return known.file_birthtime_ns !== undefined && seen.birthtimeNs !== undefined;
}

/** Known to be on two volumes: both device numbers are from the same boot. */
function onOtherDevices(known: KnownFile, seen: FileFacts): boolean {
  const comparable = known.file_boot !== undefined && known.file_boot === seen.boot;
  return comparable && known.file_device !== undefined && known.file_device !== seen.device;
}

/**
 * Equal for every file that `sameFile` could take for this one at another path, so that an index finds the candidates.
 * Different files may share it: on two volumes, or without a birth time.
 */
export function identityKey(known: Pick<KnownFile, "file_inode" | "file_birthtime_ns">): string {
  return `${known.file_inode ?? ""}:${known.file_birthtime_ns ?? ""}`;
}

/** A file as it was seen, in the form of records and entries. */
export function knownAs(facts: FileFacts): KnownFile {
  return {
    file_inode: facts.inode,
    file_birthtime_ns: facts.birthtimeNs,
    file_device: facts.device,
    file_boot: facts.boot,
    file_size: facts.size,
    file_mtime_ns: facts.mtimeNs,
  };
}

/** Fields of the record that a stat provides. */
export function factsAsFields(facts: FileFacts) {
  return {
    file_size: facts.size,
    file_inode: facts.inode,
    file_device: facts.device,
    file_boot: facts.boot ?? null,
    file_birthtime_ns: facts.birthtimeNs ?? null,
    file_mtime_ns: facts.mtimeNs,
    file_ctime_ns: facts.ctimeNs,
  };
}

/** The file as it was proved equal to the object. */
export function sealedFacts(record: StreamRecord): FileFacts {
  return {
    size: record.file_size,
    inode: record.file_inode ?? "",
    device: record.file_device ?? "",
    ...(record.file_boot === undefined ? {} : { boot: record.file_boot }),
    mtimeNs: record.file_mtime_ns ?? "",
    ctimeNs: record.file_ctime_ns ?? "",
    ...(record.file_birthtime_ns === undefined ? {} : { birthtimeNs: record.file_birthtime_ns }),
  };
}

/** Whether nothing about the file changed between two stats: the check around the verify pass. */
export function unchanged(before: FileFacts, after: FileFacts): boolean {
  return (
    before.size === after.size &&
    before.mtimeNs === after.mtimeNs &&
    before.ctimeNs === after.ctimeNs &&
    before.inode === after.inode &&
    before.birthtimeNs === after.birthtimeNs
  );
}

/** The text that `sluice-file` is the hash of: identifies the file in S3 without revealing its path. */
export function fileTokenText(source: string, facts: Pick<FileFacts, "inode" | "birthtimeNs">): string {
  return `${source}\n${facts.inode}\n${facts.birthtimeNs ?? ""}`;
}
