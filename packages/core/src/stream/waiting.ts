/** Why a stream is not final yet: what it waits for, as data, with the only place that puts it into words. */
import { formatBytes } from "./format-bytes.ts";
import type { CompletedBy } from "./record.ts";

export type Waiting =
  /** Parts are being sent to S3. */
  | {
      for: "parts";
      count: number;
      /** The numbers of these parts; one that is acknowledged meanwhile is among the stream's parts. */
      numbers?: number[];
      /** The recent upload rate, bytes per second. */
      rate?: number;
      /** When the bytes on disk now will be in S3 at that rate. */
      until?: string;
    }
  /** Idle since `since`; complete at `until` unless it is written again. */
  | {
      for: "idle";
      since: string;
      until: string;
      /** Why a process that still writes it might be invisible. */
      unseen?: string;
    }
  /** A process holds the file open for writing. */
  | {
      for: "writer";
      pid: number;
      command: string;
      /** By a shared writable mapping, not by a descriptor. */
      mapped?: true;
    }
  /** The name has a temporary suffix: only a rename, a marker or finalize completes it. */
  | { for: "rename"; suffix: string }
  /** The marker is older than the last write. */
  | { for: "marker"; marker: string }
  | { for: "volume"; detail: string }
  | {
      for: "store";
      detail: string;
      since?: string;
      /** Of the request that was refused last. */
      attempts?: number;
    }
  /** The worker must first prove that it still holds its lease. */
  | { for: "lease"; detail: string }
  /** The object is being sealed: its parts are read again from the file, then S3 assembles them. */
  | { for: "verify"; done: number; of: number }
  /** It begins like our longer object of its path: the recording is being copied back, and the copy is not complete yet. */
  | { for: "copy"; key: string; done: number; of: number }
  /** The delay before the file is deleted or moved. */
  | {
      for: "tidy";
      until: string;
      /** Why it will not be tidied, unless a marker, a rename or "finalize now" proves that it is complete. */
      unseen?: string;
    }
  | { for: "operator"; detail: string };

/** Words for users. Times are ISO text, as in the record. */
export function describeWaiting(waiting: Waiting): string {
  switch (waiting.for) {
    case "idle":
      return [
        `idle since ${waiting.since}; complete at ${waiting.until} unless it is written again`,
        ...(waiting.unseen === undefined
          ? []
          : [`whether a process still has it open is unknown: ${waiting.unseen}`]),
      ].join("; ");
    case "writer":
      return writerWords(waiting);
    case "rename":
      return `the name still ends in ${waiting.suffix}: waiting for a rename, a marker or "finalize now"`;
    case "marker":
      return `${waiting.marker} is older than the last write: waiting for a newer one`;
    case "parts":
      return partsWords(waiting);
    case "volume":
      return `its volume is missing: ${waiting.detail}`;
    case "store":
      return [
        `the store gives unexpected answers: ${waiting.detail}`,
        ...(waiting.since === undefined ? [] : [`since ${waiting.since}`]),
        ...((waiting.attempts ?? 1) > 1 ? [`${waiting.attempts} attempts`] : []),
      ].join("; ");
    case "lease":
      return `the worker's lease is not fresh: ${waiting.detail}`;
    case "verify":
      return `being sealed: ${waiting.done} of ${waiting.of} parts read again, then S3 assembles them`;
    case "copy":
      return `its first ${formatBytes(waiting.done)} are those of ${waiting.key}, which S3 holds: nothing is sent while it is being copied back (${formatBytes(waiting.of)} in all)`;
    case "tidy":
      return waiting.unseen === undefined
        ? `stored and verified; the local file is tidied at ${waiting.until}`
        : `stored and verified; the local file stays where it is, unless a marker, a rename or "finalize now" comes before ${waiting.until}: ${waiting.unseen}`;
    case "operator":
      return waiting.detail;
  }
}

function partsWords({ count, numbers, until }: Extract<Waiting, { for: "parts" }>): string {
  const one = count === 1;
  const named = numbers === undefined || numbers.length === 0;
  const which = named
    ? `${count} ${one ? "part is" : "parts are"}`
    : `${one ? "part" : "parts"} ${numbers.join(", ")} ${one ? "is" : "are"}`;
  const when = until === undefined ? "" : `; at this rate, what is on disk is in S3 at ${until}`;
  return `${which} still being sent${when}`;
}

/** Who may write the file, as a clause. */
export function writerWords(writer: { pid: number; command: string; mapped?: true }): string {
  const how = writer.mapped ? "has it mapped for writing" : "holds it open for writing";
  return `${writer.command} (pid ${writer.pid}) ${how}`;
}

const COMPLETED_BY_WORDS: Record<CompletedBy, string> = {
  idle: "it was idle for long enough",
  marker: "a marker file said so",
  rename: "it was renamed to its final name",
  finalize: "an operator finalized it",
  salvage: "salvaged: nobody judged it complete, the object holds what S3 had of it",
  term: "its worker was asked to seal before it ended",
};

/** Why a file counts as complete, as a clause; the value of another version is shown as it is. */
export function describeCompletedBy(by: string): string {
  return Object.hasOwn(COMPLETED_BY_WORDS, by) ? COMPLETED_BY_WORDS[by as CompletedBy] : by;
}

const KNOWN: Record<Waiting["for"], true> = {
  idle: true,
  writer: true,
  rename: true,
  marker: true,
  parts: true,
  volume: true,
  store: true,
  lease: true,
  verify: true,
  copy: true,
  tidy: true,
  operator: true,
};

/** Whether the second is so similar to the first that it needs no write of its own. */
export function saysTheSame(before: Waiting | undefined, now: Waiting): boolean {
  if (before?.for === "parts" && now.for === "parts") return String(before.numbers) === String(now.numbers);
  return before !== undefined && formatWaiting(before) === formatWaiting(now);
}

/** The text of `waiting_for`, as `parseWaiting` reads it. */
export function formatWaiting(waiting: Waiting): string {
  return JSON.stringify(waiting);
}

/** The text of early versions for a stream whose parts were being sent. */
const STILL_GROWING = "still growing: the next part is not full yet";

/** The value of another version, as plain text or in an unknown form, is shown as it is. */
export function parseWaiting(text: string | undefined): Waiting | undefined {
  if (text === undefined || text === "") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("for" in value)) return undefined;
    if (typeof value.for === "string" && Object.hasOwn(KNOWN, value.for)) return value as Waiting;
    if (value.for === "growth") return { for: "operator", detail: STILL_GROWING };
  } catch {
    // Not JSON: plain words.
  }
  return { for: "operator", detail: text };
}
