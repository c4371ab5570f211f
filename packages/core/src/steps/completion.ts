/** Decides when a growing file is complete, and why not yet. Pure. */
import type { Waiting } from "../stream/waiting.ts";
import { choosePlan, partBytes } from "../stream/part-plan.ts";
import type { FileSource } from "../ports/file-source.ts";
import type { FileFacts } from "../stream/identity.ts";
import type { CompletedBy } from "../stream/record.ts";
import type { ProcessorDeps, WatchRules } from "../flow/dependencies.ts";

export interface CompletionFacts {
  /** Monotonic ms since the file was last seen to change. */
  quietMs: number;
  /** Longest pause seen between two of its writes, ms. */
  longestPauseMs: number;
  idleTimeoutMs: number;
  idleMaxMs: number;
  /** The temporary suffix of its present name. */
  temporarySuffix?: string | undefined;
  /** A rename removed a temporary suffix, and nothing has been written since. */
  renamed: boolean;
  marker?: { name: string; fresh: boolean } | undefined;
  /** An operator requested it, or the worker seals at its shutdown. */
  requested?: "finalize" | "term" | undefined;
}

export type Completion =
  | { complete: true; by: CompletedBy }
  /** `inMs`: if time alone may change the answer. */
  | { complete: false; waiting: (nowWallMs: number) => Waiting; inMs?: number };

/** How long this file must be idle: at least three times its longest pause, up to idleMax. */
export function quietNeededMs(
  facts: Pick<CompletionFacts, "longestPauseMs" | "idleTimeoutMs" | "idleMaxMs">,
): number {
  return Math.max(facts.idleTimeoutMs, Math.min(facts.idleMaxMs, 3 * facts.longestPauseMs));
}

/** Whether the file is complete now, why, and otherwise how long to wait (ms) for what. Pure. */
export function judgeCompletion(facts: CompletionFacts): Completion {
  if (facts.requested === "finalize") return { complete: true, by: "finalize" };
  if (facts.marker?.fresh) return { complete: true, by: "marker" };
  if (facts.temporarySuffix !== undefined) {
    const suffix = facts.temporarySuffix;
    return { complete: false, waiting: () => ({ for: "rename", suffix }) };
  }
  if (facts.renamed) return { complete: true, by: "rename" };
  // The worker's shutdown says nothing about the file: under a temporary name its writer has not finished it.
  if (facts.requested === "term") return { complete: true, by: "term" };
  const leftMs = quietNeededMs(facts) - facts.quietMs;
  if (leftMs <= 0) return { complete: true, by: "idle" };
  const { quietMs, marker } = facts;
  return {
    complete: false,
    inMs: leftMs,
    waiting: (now) =>
      marker
        ? { for: "marker", marker: marker.name }
        : { for: "idle", since: iso(now - quietMs), until: iso(now + leftMs) },
  };
}

/** What a newly found file waits for; undefined if it has a full part, which is sent first. */
export function waitsAtFirst(
  path: string,
  facts: Pick<FileFacts, "size">,
  rules: Pick<WatchRules, "idleTimeoutMs" | "idleMaxMs" | "plan" | "temporaryNames">,
  { clock, files }: Pick<ProcessorDeps, "clock" | "files">,
  longestPauseMs = 0,
): Waiting | undefined {
  if (facts.size >= partBytes(choosePlan(rules.plan), 1)) return undefined;
  const { idleTimeoutMs, idleMaxMs } = rules;
  const suffix = rules.temporaryNames.suffixOf(path);
  const found = { quietMs: 0, longestPauseMs, renamed: false, temporarySuffix: suffix };
  const completion = judgeCompletion({ ...found, idleTimeoutMs, idleMaxMs });
  return completion.complete ? undefined : inView(completion.waiting(clock.wallMs()), files);
}

/** Adds to a wait for idleness whether a process that still writes might be invisible. */
export function inView(waiting: Waiting, { unseen }: Pick<FileSource, "unseen">): Waiting {
  return waiting.for === "idle" && unseen !== undefined ? { ...waiting, unseen } : waiting;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
