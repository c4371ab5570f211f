/**
 * A StreamWrite as the script takes it: a flat list of arguments, in the order of `take_change` in lib-stream.lua.
 * Pure. The states a script allows, and the index it moves to, come from core's tables.
 */
import { hash } from "node:crypto";
import {
  assert,
  INDEXES,
  INDEX_OF,
  isLive,
  kindOf,
  patched,
  takenKeys,
  webhookEventOf,
  type FeedEvent,
  type Index,
  type Kind,
  type Parts,
  type StreamRecord,
  type StreamWrite,
  type WebhookEvent,
} from "@sluice/core";
import { formatDone } from "./records/file-entries.ts";
import { formatPart } from "./records/part.ts";
import { statsArgs } from "./records/stats.ts";
import { FAILED_STATUSES, patchFields, recordFields } from "./records/stream-record.ts";
import { messageArgs } from "./outbox-message.ts";
import { pathField, toArg, toFlatArgs, type Arg } from "./records/text.ts";

/** A write with additional options of this package. */
export interface StoreWrite extends StreamWrite {
  /** The new path of the stream; the former one is released. */
  newPath?: string;
  /** The stream takes its own path, which no index lists yet (a record of an early version). */
  takePath?: boolean;
}

/** One change, with the field names of `take_change` in lib-stream.lua. Absent fields change nothing. */
interface ScriptChange {
  id: string;
  fence: Arg;
  revision: Arg;
  token: string;
  /** Status texts in which it may be made; none: any status. */
  allowed?: readonly string[];
  place: readonly Arg[];
  set?: readonly Arg[];
  unset?: readonly string[];
  dropParts?: boolean | undefined;
  parts?: readonly Arg[];
  pathRelease?: Arg;
  pathTake?: Arg;
  /** Id of the stream that may hold the path although its file no longer exists. */
  pathDisplaces?: string | undefined;
  keysTake?: readonly Arg[];
  keysRelease?: readonly Arg[];
  /** Field and value of `files:done`. */
  done?: readonly [Arg, string];
  log?: readonly string[];
  event?: FeedEvent | undefined;
  stats?: readonly Arg[];
  message?: readonly Arg[];
}

/** The only place that knows the order of `take_change`. */
function scriptArgs(change: ScriptChange): Arg[] {
  const { done = ["", ""] } = change;
  return [
    change.id,
    change.fence,
    change.revision,
    change.token,
    ...list(change.allowed ?? []),
    ...change.place,
    ...list(change.set ?? []),
    ...list(change.unset ?? []),
    flag(change.dropParts),
    ...list(change.parts ?? []),
    change.pathRelease ?? "",
    change.pathTake ?? "",
    change.pathDisplaces ?? "",
    ...list(change.keysTake ?? []),
    ...list(change.keysRelease ?? []),
    ...done,
    ...list(change.log ?? []),
    ...eventArgs(change.event),
    ...list(change.stats ?? []),
    ...list(change.message ?? []),
  ];
}

/** Position of an index in KEYS, counted from 1. */
export function indexPlace(index: Index): number {
  return INDEXES.indexOf(index) + 1;
}

/** The index at such a position. */
export function indexAt(place: number): Index {
  const index = INDEXES[place - 1];
  assert(index, `a script named place ${place} of an index`);
  return index;
}

/** The status texts of these kinds. `asRead` adds a failed status that only an early version used. */
export function statusesOf(kinds: readonly Kind[], asRead?: string): string[] {
  const texts = kinds.flatMap((kind): readonly string[] => (kind === "failed" ? FAILED_STATUSES : [kind]));
  const kind = asRead === undefined ? undefined : kindOf(asRead);
  if (asRead !== undefined && kind !== undefined && kinds.includes(kind) && !texts.includes(asRead))
    texts.push(asRead);
  return texts;
}

/** Status text and position of its index, for every status. */
export function statusPlaces(): Arg[] {
  const kinds = Object.keys(INDEX_OF) as Kind[];
  return kinds.flatMap((kind) => statusesOf([kind]).flatMap((text) => [text, indexPlace(INDEX_OF[kind])]));
}

/**
 * `alsoFrom`: further status texts to allow (a record of an early version may have none: ""). `webhookEvents`: the
 * events that webhooks send.
 */
export function changeArgs(
  before: StreamRecord,
  write: StoreWrite,
  worker: string,
  nowMs: number,
  alsoFrom: readonly string[] = [],
  webhookEvents: readonly WebhookEvent[] = [],
): Arg[] {
  const after = patched(before, {
    ...write.patch,
    ...(write.newPath === undefined ? {} : { original_path: write.newPath }),
  });
  const kind = kindOf(after.status);
  assert(kind, `status ${after.status} is known`);
  const { set, remove } = patchFields(write.patch);
  if (write.newPath !== undefined) set["original_path"] = write.newPath;
  // A stream that ends loses its owner; a salvage, which takes a failed one, keeps it while it works.
  if (!isLive(kind) && write.patch.status !== undefined) remove.push("owner");
  // Whatever the caller passes: a stream that has ended keeps no names.
  const over = write.remove === true || kind === "completed";
  const ownPath = pathField(before.source, before.original_path);
  const newPath = pathField(after.source, after.original_path);
  // A failed stream holds no path; a revived one takes its own again.
  const revives = kindOf(before.status) === "failed" && isLive(kind);
  const takes = write.newPath !== undefined || write.takePath === true || revives;
  return scriptArgs({
    id: before.id,
    fence: before.fence,
    revision: before.revision,
    token: writeToken(before, write, worker),
    allowed: [...statusesOf(write.from, before.status), ...alsoFrom],
    place: write.remove ? [0, 0, 0] : placeArgs(after, kind, nowMs),
    set: toFlatArgs(set),
    unset: remove,
    dropParts: write.dropParts,
    parts: (write.parts ?? []).flatMap((part) => [part.PartNumber, formatPart(part)]),
    pathRelease: write.releasePath || write.newPath !== undefined || over ? toArg(ownPath) : "",
    pathTake: takes && !write.releasePath && !over ? toArg(newPath) : "",
    pathDisplaces: write.displaces,
    keysTake: (write.takeKeys ?? []).map(toArg),
    keysRelease: [...(write.releaseKeys ?? []), ...(over ? takenKeys(after) : [])].map(toArg),
    ...(write.done ? { done: [toArg(newPath), formatDone(write.done)] as const } : {}),
    log: logLines(write.log, worker, nowMs),
    event: write.remove ? { type: "removed", ...detailOf(write.event) } : write.event,
    stats: statsArgs(write.stats, worker, after),
    message: messageOf(before, after, webhookEvents, nowMs),
  });
}

/** The change that creates a stream: there is no earlier state. */
export function createArgs(
  record: StreamRecord,
  log: readonly string[],
  worker: string,
  nowMs: number,
): Arg[] {
  const kind = kindOf(record.status);
  assert(kind, `status ${record.status} is known`);
  const fields = recordFields({ ...record, owner: worker, revision: 0 });
  return scriptArgs({
    id: record.id,
    fence: record.fence,
    revision: 0,
    token: tokenOf(["open", worker, record, log]),
    place: placeArgs(record, kind, nowMs),
    set: toFlatArgs(fields),
    pathTake: toArg(pathField(record.source, record.original_path)),
    log: logLines(log, worker, nowMs),
    event: { type: "opened", ...(log[0] === undefined ? {} : { detail: log[0] }) },
  });
}

/** The change that writes a whole stream back, with all its parts; fence and revision as its owner knows them. */
export function writeBackArgs(record: StreamRecord, parts: Parts, worker: string, nowMs: number): Arg[] {
  const kind = kindOf(record.status);
  assert(kind, `status ${record.status} is known`);
  const { owner: _, ...rest } = record;
  const fields = recordFields(isLive(kind) ? { ...rest, owner: worker } : rest);
  const text = "Redis had lost what it acknowledged: written back as this worker knew it";
  return scriptArgs({
    id: record.id,
    fence: record.fence,
    revision: record.revision,
    token: tokenOf(["back", worker, record]),
    place: placeArgs(record, kind, nowMs),
    set: toFlatArgs(fields),
    parts: [...parts.values()].flatMap((part) => [part.PartNumber, formatPart(part)]),
    log: logLines([text], worker, nowMs),
    event: { type: "state", detail: text },
  });
}

/** A list as `take_list` reads it. */
export function list(values: readonly Arg[]): Arg[] {
  return [values.length, ...values];
}

/** Newest last, whereas the timeline is newest first. */
export function logLines(log: readonly string[] | undefined, worker: string, nowMs: number): string[] {
  const at_utc = new Date(nowMs).toISOString();
  return (log ?? []).map((text) => JSON.stringify({ at_utc, text, worker }));
}

/** Last activity for live streams in `active`, updated with each write; time of entering for the others. */
function placeArgs(record: StreamRecord, kind: Kind, nowMs: number): Arg[] {
  const index = INDEX_OF[kind];
  const active = index === "active";
  const activity = Date.parse(record.last_activity_at_utc);
  return [indexPlace(index), active && !Number.isNaN(activity) ? activity : nowMs, flag(active)];
}

function eventArgs(event: FeedEvent | undefined): Arg[] {
  return [event?.type ?? "", event?.detail === undefined ? "" : toArg(event.detail)];
}

function detailOf(event: FeedEvent | undefined): { detail?: string } {
  return event?.detail === undefined ? {} : { detail: event.detail };
}

function messageOf(
  before: StreamRecord,
  after: StreamRecord,
  webhookEvents: readonly WebhookEvent[],
  nowMs: number,
): string[] {
  const event = webhookEventOf(before, after);
  if (event === undefined || !webhookEvents.includes(event)) return [];
  return messageArgs(event, after, `${before.fence}/${before.revision}`, nowMs);
}

function flag(on: boolean | undefined): string {
  return on ? "1" : "0";
}

/**
 * Identifies a command by its content, not by when it was sent: the same write sent again is recognized, and another
 * write of the same revision is not mistaken for it.
 */
function writeToken(before: StreamRecord, write: StoreWrite, worker: string): string {
  return tokenOf(["write", worker, before.id, before.fence, before.revision, write]);
}

function tokenOf(content: unknown): string {
  return hash("sha256", JSON.stringify(content), "base64url").slice(0, 22);
}
