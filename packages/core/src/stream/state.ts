/**
 * THE state machine. One table holds the legal moves; the diagram in the docs, the states passed to Lua,
 * the buttons of the dashboard and the tests all come from it. No I/O here: this file also runs in the browser.
 */
import { InvariantError } from "../assert.ts";
import type { FailureReason } from "./failures.ts";

export const KINDS = [
  "opening",
  "processing",
  "pending_completion",
  "s3_completed",
  "completed",
  "failed",
] as const;
export type Kind = (typeof KINDS)[number];

export const EVENTS = [
  /** The upload id is known; parts may be sent. */
  "opened",
  /** The file grew or changed while it was being sealed. */
  "grew",
  /** The file is complete. */
  "settled",
  /** The upload no longer exists or was never opened; the file starts again from byte 0. */
  "restarted",
  /** The object exists and is verified. */
  "assembled",
  /** The metadata object is written and the file is tidied. */
  "described",
  /** An error that needs an operator. */
  "broke",
  /** An operator's retry, or the file came back, with an upload to continue. */
  "retried",
  /** A retry of a stream whose object already exists. */
  "redescribed",
  /** An operator's salvage: what S3 held of it is an object, without its file. */
  "salvaged",
] as const;
export type Event = (typeof EVENTS)[number];

export const MOVES = {
  opening: {
    opened: "processing",
    settled: "pending_completion",
    broke: "failed",
    salvaged: "s3_completed",
  },
  processing: {
    grew: "processing",
    settled: "pending_completion",
    restarted: "opening",
    broke: "failed",
    salvaged: "s3_completed",
  },
  // grew only with an upload id; without one: restarted
  pending_completion: {
    grew: "processing",
    restarted: "opening",
    assembled: "s3_completed",
    broke: "failed",
    salvaged: "s3_completed",
  },
  s3_completed: { described: "completed", broke: "failed" },
  completed: {},
  failed: {
    retried: "processing",
    redescribed: "s3_completed",
    restarted: "opening",
    salvaged: "s3_completed",
  },
} as const satisfies Record<Kind, Partial<Record<Event, Kind>>>;

/** The value of the `status` field: a kind, or `failed_<reason>`. */
export type Status = Exclude<Kind, "failed"> | `failed_${FailureReason}`;

export const INDEXES = ["active", "pending_completion", "failed", "completed"] as const;
export type Index = (typeof INDEXES)[number];

/** Every stream is in exactly one index, according to this table. */
export const INDEX_OF = {
  opening: "active",
  processing: "active",
  pending_completion: "pending_completion",
  s3_completed: "pending_completion",
  completed: "completed",
  failed: "failed",
} as const satisfies Record<Kind, Index>;

/** The state an event leads to, or undefined if the table forbids it. */
export function moveTo(kind: Kind, event: Event): Kind | undefined {
  const row: Partial<Record<Event, Kind>> = MOVES[kind];
  return row[event];
}

/** Whether the state machine allows this event in this state. */
export function canApply(kind: Kind, event: Event): boolean {
  return moveTo(kind, event) !== undefined;
}

/** The new state; an illegal move is a bug. */
export function apply(kind: Kind, event: Event): Kind {
  const next = moveTo(kind, event);
  if (next === undefined) throw new InvariantError(`a stream in ${kind} cannot be ${event}`);
  return next;
}

/** The states from which an event is legal, in table order: the check passed to Lua. */
export function kindsThatMay(event: Event): Kind[] {
  return KINDS.filter((kind) => canApply(kind, event));
}

/** The kind of a status as Redis holds it (`failed_file_missing` is `failed`); undefined for an unknown one. */
export function kindOf(status: string): Kind | undefined {
  if (status.startsWith("failed_")) return "failed";
  return KINDS.find((kind) => kind === status && kind !== "failed");
}

/** The status of a stream that failed for this reason: `failed_file_missing`. */
export function failed(reason: FailureReason): Status {
  return `failed_${reason}`;
}

/** The stream has an owner, or one is being looked for: it is neither completed nor failed. */
export function isLive(kind: Kind): boolean {
  return kind !== "completed" && kind !== "failed";
}
