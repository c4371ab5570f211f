/** The wording of an operator's actions and of failure reasons, for pages, plans and the terminal. */
import { FAILURE_REASONS, FAILURES } from "@sluice/core/stream/failures";
import type { PlanAction } from "./actions.ts";
import { plural } from "./units.ts";
import { visibleText } from "./visible-text.ts";

interface ActionWords {
  /** "Purge 3 failed streams" */
  title: (items: number) => string;
  /** The label of the confirming button. */
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
  salvage: {
    title: (n) => `Salvage ${plural(n, "stream")} from S3`,
    confirm: "Salvage",
    done: "salvaged",
    destructive: false,
  },
  salvage_upload: {
    title: (n) => `Salvage ${plural(n, "upload")} in S3`,
    confirm: "Salvage",
    done: "salvaged",
    destructive: false,
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

/** Rejected credentials, a denied permission and a missing bucket must be fixed by a person before anything resumes. */
export const BLOCKED_REMEDY =
  "Fix what is named here. Uploads then resume automatically; no restart is needed, and no stream fails meanwhile.";

/** `failed_file_missing`, or the reason alone → "file missing". */
export function reasonWords(status: string): string {
  return status.replace(/^failed_/, "").replaceAll("_", " ");
}

/** Why a stream failed and what to do about it; also for a reason that another version wrote. */
export function failureWords(reason: string | undefined): { cause: string; remedy: string } {
  const known = FAILURE_REASONS.find((each) => each === reason);
  if (known !== undefined) return FAILURES[known];
  return reason === undefined || reason === ""
    ? NO_REASON
    : { cause: unknownCause(reason), remedy: OTHER_VERSION };
}

function unknownCause(reason: string): string {
  return `This version does not know the reason "${visibleText(reason)}".`;
}

/** Never suggests a purge, which would abort an upload that a newer worker may resume. */
const OTHER_VERSION =
  "Another version of Sluice wrote it, usually a newer one: update this program, or retry. A retry keeps what is in S3.";

const NO_REASON = {
  cause: "Its record has no failure reason.",
  remedy: "Check the raw record first: a purge may abort an open upload, and its parts are then lost.",
};
