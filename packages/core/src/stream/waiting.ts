/** A stream always says why it is not final yet: what it waits for, as data; the words are made here once. */
import type { CompletedBy } from "./record.ts";

export type Waiting =
  /** Parts are on their way to S3. */
  | {
      for: "parts";
      count: number;
      /** Which; one that is acknowledged meanwhile is among the stream's parts. */
      numbers?: number[];
      /** Bytes a second that lately went up. */
      rate?: number;
      /** When what is on disk now is in S3, at that rate. */
      until?: string;
    }
  /** Quiet since `since`; complete at `until` unless it is written again. */
  | {
      for: "idle";
      since: string;
      until: string;
      /** Why a process that still writes it might not be seen. */
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
  /** The name carries a temporary suffix: only rename, marker or finalize complete it. */
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
  /** The worker has to show first that it is still the only one. */
  | { for: "lease"; detail: string }
  /** The object is being sealed: its parts are read again from the file, then S3 puts them together. */
  | { for: "verify"; done: number; of: number }
  /** The delay before the file is deleted or moved. */
  | {
      for: "tidy";
      until: string;
      /** Why it will not be tidied after all, unless a marker, a rename or "finalize now" says that it is complete. */
      unseen?: string;
    }
  | { for: "operator"; detail: string };

/** Plain words for people. Times are ISO text, as in the record. */
export function describeWaiting(waiting: Waiting): string {
  switch (waiting.for) {
    case "idle":
      return [
        `quiet since ${waiting.since}; complete at ${waiting.until} unless it is written again`,
        ...(waiting.unseen === undefined
          ? []
          : [`whether a process still holds it open is not known: ${waiting.unseen}`]),
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
      return `its volume is away: ${waiting.detail}`;
    case "store":
      return [
        `the store does not answer as it should: ${waiting.detail}`,
        ...(waiting.since === undefined ? [] : [`since ${waiting.since}`]),
        ...((waiting.attempts ?? 1) > 1 ? [`${waiting.attempts} attempts`] : []),
      ].join("; ");
    case "lease":
      return `the worker's lease is not fresh: ${waiting.detail}`;
    case "verify":
      return `being sealed: ${waiting.done} of ${waiting.of} parts read again, then S3 puts them together`;
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
  const when = until === undefined ? "" : `; what is on disk is in S3 at ${until}, at this rate`;
  return `${which} still being sent${when}`;
}

/** Who can write the file, as half a sentence. */
export function writerWords(writer: { pid: number; command: string; mapped?: true }): string {
  const how = writer.mapped ? "has it mapped for writing" : "holds it open for writing";
  return `${writer.command} (pid ${writer.pid}) ${how}`;
}

const COMPLETED_BY_WORDS: Record<CompletedBy, string> = {
  idle: "it was quiet for long enough",
  marker: "a marker file said so",
  rename: "it was renamed to its final name",
  finalize: "an operator finalized it",
  salvage: "salvaged: nobody judged it complete, the object holds what S3 had of it",
  term: "its worker was asked to seal before it ended",
};

/** What made a file complete, as half a sentence; what another version wrote is shown as it is. */
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
  tidy: true,
  operator: true,
};

/** Whether the second says nothing that is worth a write of its own after the first. */
export function saysTheSame(before: Waiting | undefined, now: Waiting): boolean {
  if (before?.for === "parts" && now.for === "parts") return String(before.numbers) === String(now.numbers);
  return before !== undefined && formatWaiting(before) === formatWaiting(now);
}

/** The text of `waiting_for`: what `parseWaiting` reads. */
export function formatWaiting(waiting: Waiting): string {
  return JSON.stringify(waiting);
}

/** Earlier versions said so of a stream whose parts were being sent. */
const STILL_GROWING = "still growing: the next part is not full yet";

/** What another version wrote, in plain words or in a form not known here, is shown as it is. */
export function parseWaiting(text: string | undefined): Waiting | undefined {
  if (text === undefined || text === "") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("for" in value)) return undefined;
    if (typeof value.for === "string" && Object.hasOwn(KNOWN, value.for)) return value as Waiting;
    if (value.for === "growth") return { for: "operator", detail: STILL_GROWING };
  } catch {
    // Not JSON at all: words.
  }
  return { for: "operator", detail: text };
}
