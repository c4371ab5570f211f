/** What each action does, in words, before it is done. */
import { formatBytes, plural } from "./units.ts";
import type { PlanAction } from "./actions.ts";
import type { PlanView } from "./plan-view.ts";

interface Words {
  /** "Purge 3 failed streams" */
  title: (items: number) => string;
  /** What the confirming button says. */
  confirm: string;
  done: string;
  destructive: boolean;
  /** Facts of this plan, one a line. */
  facts: (plan: PlanView) => string[];
}

export const ACTION_WORDS: Record<PlanAction, Words> = {
  finalize: {
    title: (n) => `Finalize ${plural(n, "stream")} now`,
    confirm: "Finalize",
    done: "finalized",
    destructive: false,
    facts: (plan) => [
      `Each file is sealed as it is now: verified, its tail sent (${formatBytes(plan.bytes)} still on disk only), completed.`,
      "Bytes written afterwards are not in this object; a file that grows again is opened as a new generation.",
      "Waiting for a rename, a marker or a process that holds it open ends.",
    ],
  },
  retry: {
    title: (n) => `Retry ${plural(n, "failed stream")}`,
    confirm: "Retry",
    done: "retried",
    destructive: false,
    facts: (plan) => [
      `${formatBytes(plan.bytes)} are acknowledged; where S3 still holds the upload, none of it is sent again.`,
      ...((plan.counts.from_start ?? 0) > 0
        ? [
            `${plural(plan.counts.from_start ?? 0, "stream")} must begin again at byte 0: ${formatBytes(plan.counts.bytes_again ?? 0)} are sent a second time.`,
          ]
        : []),
    ],
  },
  abort: {
    title: (n) => `Abort ${plural(n, "stream")}`,
    confirm: "Abort",
    done: "aborted",
    destructive: true,
    facts: (plan) => [
      `S3 forgets what was uploaded: ${formatBytes(plan.bytes)} in ${plural(plan.counts.uploads ?? 0, "open upload")}.`,
      "The files stay on disk, untouched, and are left alone until they change or someone retries them.",
    ],
  },
  purge: {
    title: (n) => `Purge ${plural(n, "failed stream")}`,
    confirm: "Purge",
    done: "purged",
    destructive: true,
    facts: (plan) => [
      "Their records leave Redis. Files on disk are never touched; they are left alone until they change or someone retries them.",
      ...(plan.bytes > 0 ? [`${formatBytes(plan.bytes)} of them exist on local disk only.`] : []),
    ],
  },
  abort_uploads: {
    title: (n) => `Abort ${plural(n, "orphaned upload")}`,
    confirm: "Abort uploads",
    done: "aborted",
    destructive: true,
    facts: (plan) => [
      `S3 forgets their parts: ${formatBytes(plan.bytes)}. No object and no local file is touched.`,
      "A worker looks at each again right before it aborts, and leaves alone what has become someone's.",
      ...((plan.counts.foreign ?? 0) + (plan.counts.unknown ?? 0) > 0
        ? [
            `${plural((plan.counts.foreign ?? 0) + (plan.counts.unknown ?? 0), "upload")} may belong to another program: be sure.`,
          ]
        : []),
    ],
  },
  prune_history: {
    title: (n) => `Prune ${plural(n, "completed stream")} from history`,
    confirm: "Prune",
    done: "pruned",
    destructive: false,
    facts: () => [
      "Only their records in Redis go. Objects, metadata and files stay, and nothing is sent again: completed files stay known.",
    ],
  },
};

/** Reasons after which a retry cannot go on where it stood: another key, another part plan. */
export const RESTARTING_REASONS: readonly string[] = ["object_conflict", "part_limit"];
