/** What needs attention, grouped by reason, most severe first. Empty if nothing does. */
import { BLOCKED_REMEDY, failureWords, reasonWords } from "@sluice/control/words";
import { FILLING_REMEDY, isUrgent, spaceWords, type Disk } from "@sluice/control/disk-space";
import { judgeServer } from "@sluice/redis-schema/server-facts";
import { failureReason, fileName, pathOf, type StreamRow } from "@sluice/control/stream-row";
import { endingTitle, endingWords, type EndingUpload } from "@sluice/control/ending-uploads";
import { formatBytes, formatDuration, parseTime, plural } from "@sluice/control/units";
import { LONG_UNPROTECTED_MS, type Risk } from "@sluice/control/verdict";
import { costWords, type OrphanTotals } from "@sluice/control/orphan-totals";
import type { Hub } from "../hub.ts";
import type { WebSettings } from "../settings.ts";
import type { SeenRows } from "./overview.ts";

export interface Attention {
  /** Stays the same as long as the problem lasts. */
  id: string;
  weight: "bad" | "warn";
  title: string;
  detail: string;
  /** Since when, ms since 1970. */
  since?: number;
  /** What to do about it. */
  remedy?: string;
  /** A link to the details. */
  href?: string;
}

interface Facts extends SeenRows {
  risk: Risk;
  disks: readonly Disk[];
  stalled: number;
  orphans: OrphanTotals;
}

export async function needsAttention(hub: Hub, facts: Facts): Promise<Attention[]> {
  const found = [
    ...workerTrouble(facts.risk),
    ...watchTrouble(facts.risk),
    ...diskTrouble(facts.disks),
    ...ageTrouble(facts.risk, Date.now()),
    ...streamTrouble(facts),
    ...endingTrouble(facts.ending, Date.now()),
    ...failedByReason(facts.failed),
    ...orphanTrouble(facts.orphans, hub.settings),
    ...(await redisTrouble(hub)),
  ];
  return found.sort((a, b) => (a.weight === b.weight ? 0 : a.weight === "bad" ? -1 : 1));
}

export function workerTrouble(
  risk: Pick<Risk, "noWorker" | "unwatched" | "gone" | "blocked" | "workers" | "live">,
): Attention[] {
  const found: Attention[] = [];
  if (risk.noWorker) {
    found.push({
      id: "no-worker",
      weight: "bad",
      title: "No worker is running",
      detail:
        risk.live > 0
          ? `${plural(risk.live, "live stream waits", "live streams wait")} for one; files grow on disk only.`
          : "New files are not noticed.",
      remedy: "Start a worker on the volume. It resumes where the last one stopped.",
      href: "/workers",
    });
  }
  for (const { id, host, detail, since } of risk.blocked) {
    const of = risk.workers === 1 ? "" : ` (${risk.blocked.length} of ${risk.workers} are)`;
    found.push({
      id: `blocked-${id}`,
      weight: "bad",
      title: `Worker ${named(id, host)} is blocked${of}`,
      detail,
      ...(since === undefined ? {} : { since }),
      remedy: BLOCKED_REMEDY,
      href: "/workers",
    });
  }
  for (const { id, host, source, streams, bytes, since, relieved } of risk.gone) {
    const on = source === undefined ? "its source" : `source ${source}`;
    found.push({
      id: `gone-${id}`,
      weight: "bad",
      title: `Worker ${named(id, host)} is gone with ${plural(streams, "live stream")}`,
      detail: `${formatBytes(bytes)} on ${on} were not in S3 when it was last seen.`,
      since,
      remedy: relieved
        ? "Another worker of the source takes them over within a minute."
        : `Start a worker on ${on}: it resumes where this one stopped.`,
      href: "/workers",
    });
  }
  const held = new Set(risk.gone.flatMap(({ source }) => source ?? []));
  for (const { source, streams, since } of risk.noWorker ? [] : risk.unwatched) {
    if (held.has(source)) continue;
    found.push({
      id: `unwatched-${source}`,
      weight: "bad",
      title: `No worker runs on source ${source}`,
      detail: `${plural(streams, "live stream waits", "live streams wait")} for one; files grow on disk only.`,
      ...(since === undefined ? {} : { since }),
      remedy: "Start a worker there, or adopt the streams from another source.",
      href: "/workers",
    });
  }
  return found;
}

export function orphanTrouble(
  { uploads, bytes, unlisted, cost }: OrphanTotals,
  { storagePrice, orphanAgeMs }: Pick<WebSettings, "storagePrice" | "orphanAgeMs">,
): Attention[] {
  if (uploads === 0) return [];
  const atLeast = unlisted > 0 ? "at least " : "";
  const price =
    cost === undefined || storagePrice === undefined
      ? ""
      : `, ${atLeast}${costWords(cost, storagePrice.currency)} a month`;
  return [
    {
      id: "orphans",
      weight: "warn",
      title: `${plural(uploads, "upload")} that no stream owns may be deleted`,
      detail: `They are our own, and older than ${formatDuration(orphanAgeMs)}: ${atLeast}${formatBytes(bytes)}${price}.`,
      remedy: "Review and abort them: each is checked again right before.",
      href: "/orphans",
    },
  ];
}

/** The host, unless the id begins with it. */
function named(id: string, host: string | undefined): string {
  return host === undefined || host === "" || id.startsWith(host) ? id : `${id} on ${host}`;
}

function watchTrouble({ offline }: Pick<Risk, "offline">): Attention[] {
  return offline.map(({ source, name, detail, streams, since }) => ({
    id: `offline-${source}-${name}`,
    weight: "bad",
    title: `Watch ${name} is offline`,
    detail: `${detail}${/[.!?]$/.test(detail) ? "" : "."} ${plural(streams, "live stream waits", "live streams wait")} for it.`,
    ...(since === undefined ? {} : { since }),
    remedy: "Mount the volume again; abort streams whose files will not come back.",
    href: "/workers",
  }));
}

/** A disk that fills is the recorder's trouble before it is ours, and nobody else may have noticed. */
export function diskTrouble(disks: readonly Disk[]): Attention[] {
  return disks.flatMap((disk) => {
    const since = parseTime(disk.filling_since_utc);
    if (since === undefined) return [];
    return [
      {
        id: `disk-${disk.source}-${disk.watch}`,
        weight: isUrgent(disk) ? ("bad" as const) : ("warn" as const),
        title: `The disk of watch ${disk.watch} fills: ${spaceWords(disk)}`,
        detail: `On ${disk.host}, source ${disk.source}, as worker ${disk.worker} reports.`,
        since,
        remedy: FILLING_REMEDY,
        href: "/workers",
      },
    ];
  });
}

/** The shipped alert fires at the same age. */
function ageTrouble({ oldest, unprotected }: Risk, now: number): Attention[] {
  if (oldest === undefined || now - oldest.at <= LONG_UNPROTECTED_MS) return [];
  return [
    {
      id: "long-unprotected",
      weight: "warn",
      title: `Bytes have not been protected for ${oldest.least ? "at least " : ""}${formatDuration(now - oldest.at)}`,
      detail: `${formatBytes(unprotected)} in all exist on one disk only. An uplink that is too slow, a file that is neither written nor complete, or one that grows too slowly to fill a part.`,
      remedy:
        "Look at the stream that is furthest behind: it says what it waits for. SLUICE_TAIL_SAFEGUARD sends the tails of slow files too.",
      href: "/streams?view=active&sort=lag",
    },
  ];
}

function streamTrouble(facts: Facts): Attention[] {
  const found: Attention[] = [];
  if (facts.stalled > 0) {
    found.push({
      id: "stalled",
      weight: "bad",
      title: `${facts.stalled} stalled`,
      detail: "A full part is on disk, but no part of the stream was uploaded for a while.",
      remedy: "Open the stream: its page says what it waits for.",
      href: "/streams?stalled=true",
    });
  }
  if (facts.nearPartLimit > 0) {
    found.push({
      id: "part-limit",
      weight: "warn",
      title: `${facts.nearPartLimit} near the limit of 10,000 parts`,
      detail: "Beyond it the stream fails.",
      remedy: "End the recording soon, or raise SLUICE_PART_SIZE for the next.",
      href: "/streams?view=active&sort=size",
    });
  }
  const [first, ...others] = facts.nearAbort;
  if (first) {
    found.push({
      id: "upload-age",
      weight: "bad",
      title: `${facts.nearAbort.length} ${others.length === 0 ? "upload" : "uploads"} the store will abort`,
      detail: `${fileName(pathOf(first))} at ${first.upload_aborts_at_utc ?? "an unknown time"}${others.length > 0 ? `, and ${others.length} more` : ""}. A file that is not complete by then is sent again from its first byte.`,
      remedy: "End the recording before then, or raise the store's limit for incomplete uploads.",
      href: others.length === 0 ? `/streams/${encodeURIComponent(first.id)}` : "/streams?view=active",
    });
  }
  if (facts.tidyErrors > 0) {
    found.push({
      id: "tidy",
      weight: "warn",
      title: `${plural(facts.tidyErrors, "local file")} could not be tidied`,
      detail: "Their objects are complete; the files stay where they are.",
      remedy: "Open the stream for the reason, usually missing permissions.",
      href: "/streams?view=completed",
    });
  }
  if (facts.reopened.length > 0) {
    const watches = [...new Set(facts.reopened.map((row) => row.watch || "unnamed watch"))].join(", ");
    found.push({
      id: "reopened",
      weight: "warn",
      title: `${plural(facts.reopened.length, "file was", "files were")} reopened after completion`,
      detail: `In ${watches}: a file grew again after it was judged complete, and was sent again from byte 0.`,
      remedy: "Is SLUICE_IDLE_TIMEOUT too short for this recorder?",
      href: "/streams?reopened=true",
    });
  }
  return [...found, ...repeatedNames(facts.renamed)];
}

/** A document that its program rewrites, stored as a new recording each time, which is rarely wanted. */
export function repeatedNames(rows: readonly StreamRow[]): Attention[] {
  const newest = new Map<string, StreamRow>();
  for (const row of rows) {
    const path = `${row.source ?? ""}:${pathOf(row)}`;
    const before = newest.get(path);
    if ((before?.name_number ?? 0) < (row.name_number ?? 0)) newest.set(path, row);
  }
  const [most, ...others] = [...newest.values()].sort((a, b) => (b.name_number ?? 0) - (a.name_number ?? 0));
  if (most === undefined) return [];
  const watches = [...new Set([most, ...others].map((row) => row.watch || "unnamed watch"))].join(", ");
  const more = others.length === 0 ? "" : `, and ${plural(others.length, "other file")} likewise`;
  return [
    {
      id: "repeated-names",
      weight: "warn",
      title: `${plural(newest.size, "file gets", "files get")} a new object each time ${newest.size === 1 ? "it is" : "they are"} rewritten`,
      detail: `${fileName(pathOf(most))} got at least 3 names within a day, last ${most.s3_key ?? "a new one"}${more}. Each version becomes a recording of its own.`,
      remedy: `If only the newest version matters, as with a playlist or a status file, set SLUICE_ON_REPLACE=replace for the watch (${watches}).`,
      href: others.length === 0 ? `/streams/${encodeURIComponent(most.id)}` : "/streams?view=completed",
    },
  ];
}

/** The last call for bytes that exist nowhere else. */
export function endingTrouble(uploads: readonly EndingUpload[], now: number): Attention[] {
  const [first, ...others] = uploads;
  if (!first) return [];
  const more = others.length === 0 ? "" : ` And ${plural(others.length, "other")} after it.`;
  return [
    {
      id: "only-copies-end",
      weight: "bad",
      title: endingTitle(uploads),
      detail: `${endingWords(first, now)}. No other copy of its bytes is known.${more}`,
      remedy: "Salvage makes an object of what S3 holds. Afterwards there is nothing left to make one of.",
      href: endingHref(first, others),
    },
  ];
}

function endingHref({ streamId }: EndingUpload, others: readonly EndingUpload[]): string {
  if (streamId === undefined) return "/orphans";
  return others.length === 0 ? `/streams/${encodeURIComponent(streamId)}` : "/failed";
}

function failedByReason(failed: readonly StreamRow[]): Attention[] {
  const byReason = new Map<string, number>();
  for (const row of failed) {
    const reason = failureReason(row) ?? "";
    byReason.set(reason, (byReason.get(reason) ?? 0) + 1);
  }
  return [...byReason]
    .sort((a, b) => b[1] - a[1])
    .map(([reason, count]): Attention => {
      const { cause, remedy } = failureWords(reason);
      return {
        id: `failed-${reason}`,
        // An operator's own action is only a note.
        weight: reason === "aborted_by_operator" ? "warn" : "bad",
        title: `${count} failed: ${reasonWords(reason) || "unknown reason"}`,
        detail: cause,
        remedy,
        href: `/failed?reason=${encodeURIComponent(reason)}`,
      };
    });
}

async function redisTrouble(hub: Hub): Promise<Attention[]> {
  const concerns = judgeServer(await hub.redisFacts());
  return concerns.map((concern) => ({
    id: `redis-${concern.code}`,
    weight: concern.weight === "refuse" ? "bad" : "warn",
    title: CONCERN_TITLES[concern.code],
    detail: `${concern.text.charAt(0).toUpperCase()}${concern.text.slice(1)}.`,
  }));
}

const CONCERN_TITLES = {
  evicts: "Redis may evict checkpoints",
  not_durable: "Redis keeps no append-only file",
  too_old: "Redis is too old",
  replica: "Redis is a read-only replica",
} as const;
