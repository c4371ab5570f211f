/** The words of an operator's actions and of why streams failed, for pages, plans and the terminal alike. */
import { FAILURE_REASONS, FAILURES } from "@sluice/core/stream/failures";
import type { PlanAction } from "./actions.ts";
import { plural } from "./units.ts";

interface ActionWords {
  /** "Purge 3 failed streams" */
  title: (items: number) => string;
  /** What the confirming button says. */
  confirm: string;
  /** "3 of 3 items purged" */
  done: string;
  destructive: boolean;
}

export const ACTION_WORDS: Record<PlanAction, ActionWords> = {
  finalize: {
    title: (n) => `Finalize ${plural(n, "stream")} now`,
    confirm: "Finalize",
    done: "finalized",
    destructive: false,
  },
  retry: {
    title: (n) => `Retry ${plural(n, "failed stream")}`,
    confirm: "Retry",
    done: "retried",
    destructive: false,
  },
  retry_path: {
    title: (n) => `Take up ${plural(n, "purged file")} again`,
    confirm: "Retry",
    done: "taken up",
    destructive: false,
  },
  abort: {
    title: (n) => `Abort ${plural(n, "stream")}`,
    confirm: "Abort",
    done: "aborted",
    destructive: true,
  },
  purge: {
    title: (n) => `Purge ${plural(n, "failed stream")}`,
    confirm: "Purge",
    done: "purged",
    destructive: true,
  },
  abort_uploads: {
    title: (n) => `Abort ${plural(n, "orphaned upload")}`,
    confirm: "Abort uploads",
    done: "aborted",
    destructive: true,
  },
  adopt: {
    title: (n) => `Adopt ${plural(n, "live stream")}`,
    confirm: "Adopt",
    done: "adopted",
    destructive: false,
  },
  prune_history: {
    title: (n) => `Prune ${plural(n, "completed stream")} from history`,
    confirm: "Prune",
    done: "pruned",
    destructive: false,
  },
};

/** `failed_file_missing`, or the reason alone → "file missing". */
export function reasonWords(status: string): string {
  return status.replace(/^failed_/, "").replaceAll("_", " ");
}

/** Why a stream failed and what to do about it; also for a reason that another version wrote. */
export function failureWords(reason: string | undefined): { cause: string; remedy: string } {
  const known = FAILURE_REASONS.find((each) => each === reason);
  return known === undefined ? UNKNOWN : FAILURES[known];
}

const UNKNOWN = {
  cause: "This version does not know the reason.",
  remedy: "Look at the raw record, then purge it.",
};
