/**
 * What an action would do, before it is done: exact ids, counts, bytes, what is lost, and how it is confirmed.
 * Dashboard and command line make their plans here, so that each can carry out the other's plans.
 */
import { displayPath, planRetry } from "@sluice/core";
import {
  loadStreams,
  type ListedStream,
  type LoadedStream,
  type Orphan,
  type PlanOptions,
  type SchemaContext,
} from "@sluice/redis-schema";
import { confirmFor, MAX_PLAN_ITEMS, type Confirm, type PlanAction } from "./actions.ts";
import type { Chosen, Excluded } from "./choose.ts";
import { seenOf } from "./still-as-planned.ts";
import { hasUpload, isOnlyCopy, lagBytes, lastActivityAt, sentBytes, whereBytesAre } from "./stream-row.ts";
import { formatBytes, formatDuration, plural } from "./units.ts";
import { ACTION_WORDS } from "./words.ts";

export interface PlannedItem {
  id: string;
  /** Path or key. */
  name: string;
  bytes: number;
  key?: string;
  /** In S3. */
  parts?: number;
  /** What will happen to it, in words. */
  note?: string;
}

export interface Draft {
  action: PlanAction;
  /** "Purge 412 failed streams" */
  title: string;
  /** What is lost and what is kept, one sentence each. */
  facts: string[];
  items: PlannedItem[];
  counts: Record<string, number>;
  /** Depends on the action: bytes that are only on disk, parts that are lost, bytes sent again. */
  bytes: number;
  options: PlanOptions;
  /** Items that were requested but are not part of the plan. */
  excluded: Excluded[];
  /** Matching items beyond the limit of one plan. */
  leftOut: number;
  confirm: Confirm;
  /** Words that must be typed instead of the number: they name what is lost for good. */
  typed?: string;
}

type Rest = Omit<Draft, "title" | "bytes"> & { bytes?: number };

function draft({ bytes, ...rest }: Rest): Draft {
  const sum = bytes ?? rest.items.reduce((total, item) => total + item.bytes, 0);
  return { ...rest, title: ACTION_WORDS[rest.action].title(rest.items.length), bytes: sum };
}

function itemsOf(rows: readonly ListedStream[], bytesOf: (row: ListedStream) => number): PlannedItem[] {
  return rows.map((row) => itemOf(row, bytesOf(row)));
}

function itemOf(row: ListedStream, bytes: number): PlannedItem {
  const parts = Math.max(0, (row.next_part ?? 1) - 1);
  return {
    id: row.id,
    name: row.original_path ?? row.id,
    bytes,
    ...(row.s3_key === undefined ? {} : { key: row.s3_key }),
    ...(parts === 0 ? {} : { parts }),
  };
}

/** What a purge does with open uploads. `lose`: also with those that are the only copy of their bytes. */
export type PurgeUploads = "abort" | "keep" | "lose";

/** The plan of a purge: what each stream loses, and the words that must be typed if an only copy is among them. */
export function draftPurge({ rows, excluded, leftOut }: Chosen, choice: PurgeUploads): Draft {
  const upload = choice === "keep" ? "keep" : "abort";
  const withUpload = rows.filter(hasUpload);
  const only = withUpload.filter(isOnlyCopy);
  const kept = choice === "abort" ? only.map(({ id }) => id) : [];
  const destroyed = choice === "keep" ? 0 : withUpload.length - kept.length;
  // Bytes that a superseded stream did not send belong to its successor, which has the file at that path now.
  const own = rows.filter((row) => row.superseded_by === undefined);
  const items = itemsOf(rows, (row) => (own.includes(row) ? lagBytes(row) : 0));
  const where = own.map(whereBytesAre);
  const [unsent, lost, unseen] = (["disk", "lost", "unknown"] as const).map((name) =>
    where.reduce((sum, one) => sum + one[name], 0),
  ) as [number, number, number];
  const onlyBytes = only.reduce((sum, row) => sum + (row.bytes_sent ?? 0), 0);
  const others = withUpload.filter((row) => !isOnlyCopy(row));
  return draft({
    action: "purge",
    facts: [
      "Files on disk are never touched: they are ignored until they change or are retried by path.",
      ...(unsent > 0 ? [`${formatBytes(unsent)} of them exist on local disk only.`] : []),
      ...(lost > 0 ? [`Lost: ${formatBytes(lost)}, with files that are gone.`] : []),
      ...(unseen > 0 ? [`${formatBytes(unseen)} are of files that cannot be looked at now.`] : []),
      ...(only.length > 0 ? [onlyCopySentence(only.length, onlyBytes, choice)] : []),
      ...(only.length > 0 && others.length === 0 ? [] : [uploadsSentence(others, upload)]),
    ],
    items,
    counts: {
      streams: rows.length,
      uploads: withUpload.length,
      uploads_kept: withUpload.length - destroyed,
      only_copies: only.length,
    },
    options: { upload, seen: seenOf(rows), ...(kept.length > 0 ? { keep_uploads: kept } : {}) },
    excluded,
    leftOut,
    confirm: confirmFor(rows.length, destroyed, "yes"),
    ...(choice === "lose" && only.length > 0 ? { typed: `lose ${formatBytes(onlyBytes)}` } : {}),
  });
}

function onlyCopySentence(uploads: number, bytes: number, choice: PurgeUploads): string {
  const what = `Only copy: ${formatBytes(bytes)} in S3, in ${plural(uploads, "open upload")}`;
  return choice === "lose"
    ? `${what}. S3 forgets them: these bytes exist nowhere else.`
    : `${what}, kept among the orphans as only copy. A salvage makes objects of them.`;
}

/** The plan to abort live streams, whose uploads end with them. */
export function draftAbort({ rows, excluded, leftOut }: Chosen): Draft {
  const withUpload = rows.filter(hasUpload);
  return draft({
    action: "abort",
    facts: [
      uploadsSentence(withUpload, "abort"),
      "Files stay on disk, untouched: they are ignored until they change or are retried.",
    ],
    items: itemsOf(rows, sentBytes),
    counts: { streams: rows.length, uploads: withUpload.length, uploads_kept: 0 },
    options: { seen: seenOf(rows) },
    excluded,
    leftOut,
    confirm: confirmFor(rows.length, withUpload.length, "yes"),
  });
}

function uploadsSentence(rows: readonly ListedStream[], choice: "abort" | "keep"): string {
  if (rows.length === 0) return "None of them has an open upload in S3.";
  const bytes = rows.reduce((sum, row) => sum + (row.bytes_sent ?? 0), 0);
  const which = `${plural(rows.length, "open upload")} with ${formatBytes(bytes)} of parts`;
  return choice === "keep" ? `Kept in S3: ${which}, as orphans.` : `Lost in S3: ${which}.`;
}

/** A file written this recently is probably still being written. */
const LATELY_MS = 10_000;

/** The plan to complete streams as their files are now. `force`: an option of the request. `nowMs`: since 1970. */
export function draftFinalize(
  { rows, excluded, leftOut }: Chosen,
  { force, nowMs }: { force: boolean; nowMs: number },
): Draft {
  const growing = rows.filter((row) => nowMs - (lastActivityAt(row) ?? 0) < LATELY_MS).length;
  const items = itemsOf(rows, lagBytes);
  const unsent = items.reduce((sum, { bytes }) => sum + bytes, 0);
  return draft({
    action: "finalize",
    facts: [
      `Sent first: ${formatBytes(unsent)} that are only on local disk. Each file is then verified and completed as it is.`,
      "Data written afterwards is not in the object; a file that grows again becomes a new generation.",
      ...(growing > 0
        ? [`${plural(growing, "file was", "files were")} written in the last ${formatDuration(LATELY_MS)}.`]
        : []),
      force
        ? "Files are completed even if a process has them open for writing."
        : "A file that a process has open for writing is completed when it is closed.",
    ],
    items,
    counts: { streams: rows.length },
    options: { seen: seenOf(rows), ...(force ? { request: { force } } : {}) },
    excluded,
    leftOut,
    confirm: confirmFor(rows.length, 0, growing > 0 || force ? "yes" : "none"),
  });
}

/** Reads the records, because the worker decides from them where a retry begins. */
export async function draftRetry(context: SchemaContext, chosen: Chosen): Promise<Draft> {
  const loaded: LoadedStream[] = [];
  const ids = chosen.rows.map(({ id }) => id);
  for await (const streams of loadStreams(context, ids, { parts: false })) loaded.push(...streams);
  return draftRetryOf(chosen, loaded);
}

/** Pure. `planRetry` says what is sent a second time; the worker uses it too. */
export function draftRetryOf({ rows, excluded, leftOut }: Chosen, loaded: readonly LoadedStream[]): Draft {
  const items: PlannedItem[] = [];
  const refused = [...excluded];
  const byId = new Map(rows.map((row) => [row.id, row]));
  let fromStart = 0;
  for (const { id, parsed } of loaded) {
    if (parsed.kind !== "record") {
      refused.push({ id, why: "its record cannot be read: purge it" });
      continue;
    }
    const { event, bytesSentAgain, words } = planRetry(parsed.record);
    if (event === "restarted") fromStart += 1;
    const row = byId.get(id);
    const name = displayPath(parsed.record.original_path);
    const known = row === undefined ? { id } : itemOf(row, bytesSentAgain);
    items.push({ ...known, name, bytes: bytesSentAgain, note: words });
  }
  const planned = new Set(items.map(({ id }) => id));
  const again = items.reduce((sum, { bytes }) => sum + bytes, 0);
  return draft({
    action: "retry",
    facts: [whatIsSent(items.length, fromStart, again)],
    items,
    counts: { streams: items.length, from_start: fromStart },
    options: { seen: seenOf(rows.filter(({ id }) => planned.has(id))) },
    excluded: refused,
    leftOut,
    confirm: confirmFor(items.length, 0, again > 0 ? "yes" : "none"),
  });
}

function whatIsSent(items: number, fromStart: number, again: number): string {
  if (fromStart === 0) return "Nothing is sent again.";
  const files = fromStart === items ? "Every byte" : `Every byte of ${plural(fromStart, "file")}`;
  return `${files} is sent${again > 0 ? `, ${formatBytes(again)} for the second time` : ""}.`;
}

/** `marks`: `<source>:<path>` of purged files. */
export function draftRetryPath(marks: readonly string[]): Draft {
  return draft({
    action: "retry_path",
    facts: ["Each becomes a new stream if its file still exists; all its bytes are sent."],
    items: marks.map((mark) => ({ id: mark, name: mark.slice(mark.indexOf(":") + 1), bytes: 0 })),
    counts: { files: marks.length },
    options: {},
    excluded: [],
    leftOut: 0,
    confirm: confirmFor(marks.length, 0, "none"),
  });
}

/** The caller decides who may select uploads that are not ours: never a filter, never automatically. */
export function draftAbortUploads(chosen: readonly Orphan[], excluded: Excluded[], olderThanMs = 0): Draft {
  const taken = chosen.slice(0, MAX_PLAN_ITEMS);
  const count = (verdict: Orphan["verdict"]) => taken.filter((one) => one.verdict === verdict).length;
  const items = taken.map((one) => ({
    id: one.s3_upload_id,
    name: one.original_path ?? one.s3_key,
    key: one.s3_key,
    bytes: one.bytes ?? 0,
    ...(one.parts === undefined ? {} : { parts: one.parts }),
  }));
  const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
  const others = count("foreign") + count("unknown");
  const only = taken.filter(({ verdict }) => verdict === "only_copy");
  const onlyBytes = only.reduce((sum, one) => sum + (one.bytes ?? 0), 0);
  return draft({
    action: "abort_uploads",
    facts: [
      ...(olderThanMs > 0 ? [`They began more than ${formatDuration(olderThanMs)} ago.`] : []),
      `Their parts in S3 are lost: ${formatBytes(bytes)}. No object and no local file is touched.`,
      "A worker checks each again right before, and skips uploads that a stream has claimed.",
      ...(only.length > 0 ? [onlyCopySentence(only.length, onlyBytes, "lose")] : []),
      ...(others > 0 ? [`${plural(others, "upload")} may belong to another program: be sure.`] : []),
    ],
    items,
    counts: {
      uploads: taken.length,
      ours: count("ours"),
      foreign: count("foreign"),
      unknown: count("unknown"),
      only_copies: only.length,
    },
    options: only.length > 0 ? { request: { only_copies: true } } : {},
    excluded,
    leftOut: chosen.length - taken.length,
    confirm: confirmFor(taken.length, taken.length, "yes"),
    ...(only.length > 0 ? { typed: `lose ${formatBytes(onlyBytes)}` } : {}),
  });
}

/** What becomes of each, as far as the records say; the worker compares them with S3 before it acts. */
export function draftSalvage({ rows, excluded, leftOut }: Chosen): Draft {
  const items = rows.map((row) => ({ ...itemOf(row, row.bytes_sent ?? 0), note: salvageNote(row) }));
  const lost = rows.reduce((sum, row) => sum + lagBytes(row), 0);
  const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
  const superseded = rows.filter(({ superseded_by }) => superseded_by !== undefined).length;
  return draft({
    action: "salvage",
    facts: [
      `Each becomes an object of its file's first bytes, ${formatBytes(bytes)} in all, marked as partial.`,
      lost > 0
        ? `Lost for good unless the file comes back: ${formatBytes(lost)}, and whatever was written since it was last seen.`
        : "Lost for good unless the file comes back: whatever was written since it was last seen.",
      "A name that is taken refuses the salvage, and the upload is kept. A file that comes back later is extended to its whole length.",
      ...(superseded > 0
        ? [
            `${plural(superseded, "stream was", "streams were")} superseded: refused if an object exists at the key by now.`,
          ]
        : []),
    ],
    items,
    counts: { streams: rows.length, superseded },
    options: { seen: seenOf(rows) },
    excluded,
    leftOut,
    confirm: confirmFor(rows.length, 0, "yes"),
  });
}

function salvageNote(row: ListedStream): string {
  const lost = lagBytes(row);
  const parts = (row.next_part ?? 1) - 1;
  const held = `${row.s3_key ?? "its key"} gets the first ${formatBytes(row.bytes_sent ?? 0)} (${plural(parts, "part")})`;
  return lost > 0 ? `${held}; lost: ${formatBytes(lost)}` : held;
}

/** An upload that no stream has: by its key and id alone, or as the list of orphans knows it. */
export function draftSalvageUpload(
  upload: Pick<Orphan, "s3_upload_id" | "s3_key" | "original_path" | "bytes"> & { s3_bucket?: string },
  force: boolean,
): Draft {
  const { s3_upload_id: id, s3_key: key, s3_bucket: bucket, bytes = 0 } = upload;
  return draft({
    action: "salvage_upload",
    facts: [
      `${key} becomes an object of the parts in S3 from the first on, up to the first that is smaller than the one before it.`,
      "No record says how large its file was: what lies past that is lost unless the file comes back.",
      "A name that is taken refuses the salvage, and the upload is kept.",
      ...(force
        ? ["Also where its last part went up a moment ago: be sure that nobody sends it any more."]
        : []),
    ],
    items: [{ id, name: upload.original_path ?? key, key, bytes }],
    counts: { uploads: 1 },
    options: { request: { key, ...(bucket === undefined ? {} : { bucket }), ...(force ? { force } : {}) } },
    excluded: [],
    leftOut: 0,
    confirm: "yes",
  });
}

/** `rows`: live streams of a source that is gone. */
export function draftAdopt(rows: readonly ListedStream[], from: string): Draft {
  const items = itemsOf(rows.slice(0, MAX_PLAN_ITEMS), (row) => row.bytes_sent ?? 0);
  const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
  return draft({
    action: "adopt",
    facts: [
      `They belong to the source ${from}; it must not come back under its old name for these files.`,
      `${formatBytes(bytes)} that are in S3 are kept; each stream resumes from there.`,
      "If this worker has already started the same file, the stream that has sent less ends.",
    ],
    items,
    counts: { streams: items.length },
    options: { request: { from } },
    excluded: [],
    leftOut: rows.length - items.length,
    confirm: confirmFor(items.length, 0, "yes"),
  });
}

/** `cutoff`: ms since 1970; what completed later stays. `rows`: what goes, oldest first. */
export function draftPrune(
  { rows, leftOut }: { rows: readonly ListedStream[]; leftOut: number },
  { cutoff, olderThanMs }: { cutoff: number; olderThanMs: number },
): Draft {
  return draft({
    action: "prune_history",
    facts: [
      ...(olderThanMs > 0 ? [`They completed more than ${formatDuration(olderThanMs)} ago.`] : []),
      "Only their records in Redis are removed. Objects, metadata and files stay, and nothing is sent again: completed files are remembered.",
    ],
    items: itemsOf(rows, sentBytes),
    counts: { streams: rows.length },
    bytes: 0,
    options: { cutoff },
    excluded: [],
    leftOut,
    confirm: confirmFor(rows.length, 0, "yes"),
  });
}
