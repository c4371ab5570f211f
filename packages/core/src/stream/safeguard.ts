/**
 * The safeguard: when does the tail of a growing file go up, and how much of the file survives the loss of the host?
 *
 *   the oldest byte that only the disk has ── a window old ──► the tail goes up as the short part after the last full one
 *   it is acknowledged                     ──────────────────► its bytes are protected; what is written next is the oldest
 *   its outcome is unknown                 ──────────────────► nothing under that number counts, until S3 is asked after
 *                                                              the request's deadline and shows what the checkpoint has
 *
 * The last is what makes a short part dangerous: a request given up may still be carried out, and put the short part over
 * the full one that was acknowledged since.
 */
import { partOffset, type PartPlan } from "./part-plan.ts";

export interface TailFacts {
  /** SLUICE_TAIL_SAFEGUARD. */
  windowMs: number;
  nowMs: number;
  /** Since when the file has had its oldest byte that neither S3 has nor a part on its way, at the earliest. */
  sinceMs: number | undefined;
  /** A request for the tail's part number is under way. */
  inFlight: boolean;
  /** Nothing of the file is in S3: a tail takes an upload, and the file no longer goes up in one PutObject. */
  opening: boolean;
  /** Nobody was seen to write it for longer than its longest pause, or since it was found. */
  quiet: boolean;
  /** When silence alone completes it; undefined: it does not. */
  completeInMs: number | undefined;
}

export type TailDecision =
  | { kind: "nothing" }
  | { kind: "later"; inMs: number }
  | { kind: "due"; sinceMs: number };

export function decideTail(facts: TailFacts): TailDecision {
  const { windowMs, nowMs, sinceMs, inFlight, opening, quiet, completeInMs } = facts;
  // The end of the request under way wakes the stream.
  if (sinceMs === undefined || inFlight) return { kind: "nothing" };
  const inMs = sinceMs + windowMs - nowMs;
  if (inMs > 0) return { kind: "later", inMs };
  // It is about to go up whole, for one request instead of four.
  if (opening && quiet && completeInMs !== undefined && completeInMs <= windowMs)
    return { kind: "later", inMs: completeInMs };
  return { kind: "due", sinceMs };
}

/** A short part whose request may still be carried out. */
export interface Doubt {
  number: number;
  /** Monotonic ms: what S3 lists from then on stays. */
  untilMs: number;
}

/** Bytes that survive the loss of the host: the unbroken run, up to the part that is in doubt. */
export function protectedBytes(runBytes: number, plan: PartPlan, doubt: Doubt | undefined): number {
  return doubt === undefined ? runBytes : Math.min(runBytes, partOffset(plan, doubt.number));
}

/** Of two doubts the first number bounds what is protected, and the later deadline when both are over. */
export function bothDoubts(one: Doubt | undefined, other: Doubt): Doubt {
  if (one === undefined) return other;
  return {
    number: Math.min(one.number, other.number),
    untilMs: Math.max(one.untilMs, other.untilMs),
  };
}
