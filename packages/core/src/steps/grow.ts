/** A step of a growing stream: `opening` or `processing`. Sends what is full, then asks whether the file is complete. */
import { pendingRanges, type PartRange } from "../stream/checkpoint.ts";
import { StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { partBytes, planCapacity } from "../stream/part-plan.ts";
import { MARKER_SUFFIX } from "../stream/temporary-names.ts";
import type { Writers } from "../ports/file-source.ts";
import { factsAsFields, sameFile, type FileFacts } from "../stream/identity.ts";
import type { DoneEntry } from "../stream/completed-file.ts";
import type { CompletedBy } from "../stream/record.ts";
import { describeCompletedBy, formatWaiting, type Waiting } from "../stream/waiting.ts";
import { recognised } from "./assembled.ts";
import { openOnTurn, safeguard, sendOnTurn, type Guarded, type Silence } from "./safeguard.ts";
import { inView, judgeCompletion, type Completion } from "./completion.ts";
import { lookAfterWriteMs } from "./look-after-write.ts";
import {
  AGAIN,
  awaitLease,
  progress,
  type MarkerLook,
  type StreamContext,
  type Step,
} from "./stream-context.ts";
import { whereIsIt } from "./missing-file.ts";
import { unreadableFile } from "../object/open-file.ts";
import { openUpload, takeInheritedKey, takingFirstKey, type OpenedUpload } from "../object/open-object.ts";
import { extensionOf, fillPart } from "../object/extend.ts";
import type { TailTurn } from "../flow/tail-budget.ts";
import type { SentTail } from "../object/part-sender.ts";
import { partsToVerify } from "../object/verify.ts";
import { removeQuietly } from "./remove-quietly.ts";
import { supersede } from "./supersede.ts";
import { doubtUpload, reconciled } from "./upload-gone.ts";
import { reach, type ObjectContext } from "../object/context.ts";

export async function growStep(stream: StreamContext): Promise<Step> {
  const { held, deps } = stream.context;
  const look = await deps.files.look(held.record.original_path);
  if (look.kind === "unreadable") throw unreadableFile(look);
  if (look.kind !== "file") return await whereIsIt(stream, look);
  const same = sameFile(held.record, look.facts, { at: "its_path", sentBytes: sentBytes(stream) });
  if (same.kind === "other") {
    const { file_inode: inode = look.facts.inode } = held.record;
    // Another file at the path says nothing about where this stream's own file is.
    if (same.because === "file_replaced" || inode !== look.facts.inode) return await whereIsIt(stream, look);
    await noteShorter(stream, look.facts);
    return await supersede(stream, same.because, look.facts);
  }
  await noteShorter(stream, look.facts);
  if (stream.history.firstLook && !stream.context.resumed) await takeInheritedKey(stream.context);
  see(stream, look.facts);
  assertCapacity(stream, look.facts);
  const sure = same.kind === "same";
  const asked = await askAfterDoubt(stream, look.facts, sure);
  if (asked) return asked;
  const sent = await sendFullParts(stream, look.facts, sure);
  return sent ?? (await judge(stream, look.facts, sure));
}

/**
 * A short part's request can no longer be carried out. What was acknowledged under its number since counts as protected
 * when S3 has it, and is sent again otherwise.
 */
async function askAfterDoubt(
  stream: StreamContext,
  facts: FileFacts,
  sure: boolean,
): Promise<Step | undefined> {
  const { held, deps } = stream.context;
  if (held.doubt === undefined || deps.clock.monotonicMs() < held.doubt.untilMs) return undefined;
  stream.reconciled = held.record.s3_upload_id === undefined;
  const step = await reconciled(stream, facts, sure);
  if (stream.reconciled) await held.certain();
  return step;
}

/** A reopened file has its earlier object in S3, and must not become shorter than that. */
function sentBytes({ context }: StreamContext): number {
  return Math.max(context.held.sentEnd, reopenedEntry(context)?.file_size ?? 0);
}

/** The completed file that this stream is a new generation of. */
function reopenedEntry({ held, deps }: ObjectContext): DoneEntry | undefined {
  const entry = deps.completed.entry(held.record.original_path);
  return entry?.stream_id === held.record.supersedes ? entry : undefined;
}

async function noteShorter({ context: { held, deps } }: StreamContext, facts: FileFacts): Promise<void> {
  const path = held.record.original_path;
  const entry = deps.completed.entry(path);
  if (entry && facts.size < entry.file_size && !entry.seen_shorter) {
    await held.persistently(() => deps.completed.seenShorter(path));
  }
}

/** Records the result of the check; it is saved with the next write, or on its own if that takes long. */
function see(stream: StreamContext, facts: FileFacts): void {
  const { held, deps } = stream.context;
  const isNew = stream.history.firstLook && !stream.context.resumed;
  const changed = stream.history.see(facts, deps.clock.monotonicMs());
  deps.safeguard?.grew(facts.size - (isNew ? 0 : held.sizeSeen));
  held.measured(facts);
  const { record } = held;
  if (record.source_state !== "present") held.note({ source_state: "present" });
  if (!changed && record.file_size === facts.size && record.file_mtime_ns === facts.mtimeNs) return;
  held.note({ ...factsAsFields(facts), longest_pause_ms: Math.round(stream.history.longestPauseMs) });
  if (record.completed_by === "rename" && !renamedSince(stream, facts)) held.note({ completed_by: null });
}

/** A temporary suffix was removed by a rename, and nothing has been written since. */
function renamedSince(stream: StreamContext, facts: FileFacts): boolean {
  const { renamedAtCtimeNs } = stream;
  return renamedAtCtimeNs !== undefined && BigInt(facts.mtimeNs) <= BigInt(renamedAtCtimeNs);
}

/** Returns what to do next, or undefined when every full part is in S3. */
async function sendFullParts(
  stream: StreamContext,
  facts: FileFacts,
  sure: boolean,
): Promise<Step | undefined> {
  if (fullRanges(stream, facts.size).length > 0) {
    if (stream.context.held.kind === "opening") return await openFor(stream, facts, { growing: true });
    const ready = await reconciled(stream, facts, sure);
    if (ready) return ready;
  }
  fill(stream, facts.size);
  if (fullInFlight(stream).length === 0) return undefined;
  await progress(stream, partsInFlight(stream));
  // A part may have failed meanwhile; the next step handles it.
  if (stream.trouble === undefined) stream.fillTo = facts.size;
  return await guarding(stream, { facts, sure }, {}, { ms: LIMITS.lookAgainMs });
}

/** Numbers of the parts being sent, without the tail. */
function fullInFlight({ sending, tailNumber }: StreamContext): number[] {
  return [...sending.keys()].filter((number) => number !== tailNumber).sort((a, b) => a - b);
}

/** As before any new part; what comes of it instead gives the turn back. */
async function reconciledOnTurn(
  stream: StreamContext,
  facts: FileFacts,
  sure: boolean,
  turn: TailTurn,
): Promise<Step | undefined> {
  let ready: Step | undefined = AGAIN;
  try {
    ready = await reconciled(stream, facts, sure);
  } finally {
    if (ready) turn.release();
  }
  return ready;
}

/** The wait of a growing file, in which its tail goes up when that is due. */
async function guarding(
  stream: StreamContext,
  { facts, sure }: { facts: FileFacts; sure: boolean },
  silence: Silence,
  { ms, written = true }: { ms: number; written?: boolean },
): Promise<Step> {
  const { held, deps } = stream.context;
  // What is being copied back is in S3 already.
  const isCopy = stream.context.copy.of !== undefined;
  const guarded: Guarded = isCopy ? { kind: "waits", ms: undefined } : safeguard(stream, facts, silence);
  if (guarded.kind === "send") {
    const { range, turn } = guarded;
    const isOpening = held.kind === "opening";
    const ready = isOpening
      ? await opened(stream, facts, await openOnTurn(stream, facts, turn))
      : await reconciledOnTurn(stream, facts, sure, turn);
    if (ready) return ready;
    if (!isOpening)
      stream.sending.set(range.number, ended(stream, range.number, sendOnTurn(stream, range, turn)));
  }
  const dueMs = guarded.kind === "waits" ? (guarded.ms ?? Infinity) : Infinity;
  const doubtMs = (held.doubt?.untilMs ?? Infinity) - deps.clock.monotonicMs();
  const wait = { kind: "wait" as const, ms: Math.max(1, Math.min(ms, dueMs, doubtMs)) };
  return written ? { ...wait, writtenMs: nextPartMs(stream, facts) } : wait;
}

/** For a file that is being written: the next check is due when its next part may be full, and at regular intervals. */
function nextPartMs(stream: StreamContext, facts: FileFacts): number {
  const { bytesPerMs } = stream.history;
  const { idleTimeoutMs } = stream.context.rules;
  return lookAfterWriteMs({
    bytesPerMs,
    idleTimeoutMs,
    bytesToFullPart: bytesToFullPart(stream, facts.size),
  });
}

/** The end of the first part that is neither in S3 nor in flight, beyond the file's end. */
function bytesToFullPart({ context, sending }: StreamContext, size: number): number {
  const { parts, plan } = context.held;
  const skip = (n: number): boolean => sending.has(n);
  const [next] = pendingRanges(parts, plan, size + 1, { tail: true, limit: 1, skip });
  if (next === undefined) return Infinity;
  const left = next.offset + partBytes(plan, next.number) - size;
  // A full part that waits for a slot starts when another part has ended.
  return left > 0 ? left : Infinity;
}

/** Full parts up to `size` that are neither in S3 nor in flight: as many as the lane has slots. */
function fullRanges(stream: StreamContext, size: number): PartRange[] {
  const { held, deps } = stream.context;
  const limit = Math.max(1, deps.lane.slots - stream.sending.size);
  const skip = (n: number): boolean => stream.sending.has(n);
  return pendingRanges(held.parts, held.plan, size, { tail: false, limit, skip });
}

function fill(stream: StreamContext, size: number): void {
  const { context, sending, rate } = stream;
  if (sending.size === 0) rate.begin(context.deps.clock.monotonicMs());
  for (const range of fullRanges(stream, size)) {
    if (sending.size >= context.deps.lane.slots) break;
    sending.set(range.number, ended(stream, range.number, fillPart(context, range)));
  }
}

function partsInFlight(stream: StreamContext): Waiting {
  const { context, rate } = stream;
  const { held, deps } = context;
  const numbers = fullInFlight(stream);
  const parts: Waiting = { for: "parts", count: numbers.length, numbers };
  const perSecond = rate.now(deps.clock.monotonicMs());
  if (perSecond === undefined) return parts;
  const leftMs = (Math.max(0, held.sizeSeen - held.record.bytes_sent) / perSecond) * 1_000;
  return { ...parts, rate: perSecond, until: new Date(deps.clock.wallMs() + leftMs).toISOString() };
}

async function openFor(
  stream: StreamContext,
  facts: FileFacts,
  { growing }: { growing: boolean },
): Promise<Step | undefined> {
  return await opened(stream, facts, await openUpload(stream.context, facts, { growing }));
}

/** Undefined: the file is being copied back. Nothing is sent meanwhile; it only remains to see whether it is complete. */
async function opened(
  stream: StreamContext,
  facts: FileFacts,
  upload: OpenedUpload,
): Promise<Step | undefined> {
  if (upload.kind === "copy") return undefined;
  if (upload.kind === "fenced") return await awaitLease(stream, "CreateMultipartUpload");
  if (upload.kind === "same") return await recognised(stream, facts, upload.existing);
  if (upload.found) stream.reconciled = false;
  return AGAIN;
}

/**
 * The end of a part starts the next one that is known to be full, or wakes the stream; its error waits for the next
 * step. A file that gave fewer bytes than stat reported is not checked again at once, because that may last.
 */
async function ended(stream: StreamContext, number: number, sending: Promise<SentTail>): Promise<void> {
  const isTail = stream.tailNumber === number;
  let how: SentTail["kind"] | "trouble";
  try {
    const sent = await sending;
    how = sent.kind;
    if (sent.kind === "sent" && !isTail)
      stream.rate.acknowledged(sent.part.Size, stream.context.deps.clock.monotonicMs());
  } catch (error) {
    how = "trouble";
    stream.trouble ??= error;
  }
  stream.sending.delete(number);
  if (how === "upload_gone") doubtUpload(stream);
  if (how !== "sent") stream.fillTo = undefined;
  if (how === "file_moved_on" || how === "fenced") return;
  const { fillTo } = stream;
  if (fillTo !== undefined && !stream.context.signal.aborted) {
    const before = stream.sending.size;
    // Every part checks the file again itself: by its descriptor, before it reads.
    fill(stream, fillTo);
    // The record learns which are on their way with the next part that is saved.
    if (fullInFlight(stream).length > 0)
      stream.context.held.ride({ waiting_for: formatWaiting(partsInFlight(stream)) });
    if (stream.sending.size > before) return;
  }
  stream.wakeup.poke();
}

function assertCapacity(stream: StreamContext, facts: FileFacts): void {
  const { held, deps } = stream.context;
  const { maxParts, maxObjectBytes } = deps.store.profile;
  const most = Math.min(planCapacity(held.plan, maxParts), maxObjectBytes);
  if (facts.size > most) {
    const plan = held.record.part_plan;
    throw new StreamFailure(
      "part_limit",
      `the file has ${facts.size} bytes; with plan ${plan} one object holds ${most}`,
    );
  }
}

/** All full parts are in S3: is the file complete? */
async function judge(stream: StreamContext, facts: FileFacts, sure: boolean): Promise<Step> {
  const { held, deps } = stream.context;
  if (await isPlaceholder(stream, facts)) {
    return await removeQuietly(
      stream,
      "placeholder",
      "an empty file next to one with its name and a temporary suffix",
    );
  }
  const completion = await judgeFile(stream, facts);
  if (!completion.complete) {
    const copy = copyWaiting(stream, facts);
    await progress(stream, copy ?? inView(completion.waiting(deps.clock.wallMs()), deps.files));
    const ms = Math.min(completion.inMs ?? LIMITS.lookAgainMs, LIMITS.lookAgainMs);
    return await guarding(stream, { facts, sure }, { completeInMs: completion.inMs }, { ms });
  }
  const writer = await writerOf(stream, facts);
  if (writer) {
    await progress(stream, writer);
    return await guarding(stream, { facts, sure }, {}, { ms: LIMITS.lookAgainMs, written: false });
  }
  // One PutObject sends what fits into a pooled buffer; a longer file needs an upload, if only for its tail.
  const whole = facts.size <= deps.lane.bufferBytes && !mayExtend(stream);
  if (held.kind === "opening" && !whole) {
    // Complete before it is as long as the object it begins like, it is another recording after all.
    const opened = await openFor(stream, facts, { growing: false });
    if (opened) return opened;
  }
  await settle(stream, facts, completion.by);
  await reach(stream.context, "settled");
  deps.observer.moved(held.record, completion.by);
  return AGAIN;
}

function copyWaiting({ context: { copy } }: StreamContext, facts: FileFacts): Waiting | undefined {
  if (copy.of === undefined) return undefined;
  return { for: "copy", key: copy.of.ref.key, done: facts.size, of: copy.of.size };
}

/** A Put would send again what the file's earlier object has and the store can copy. */
function mayExtend({ context }: StreamContext): boolean {
  const entry = reopenedEntry(context);
  const { s3_bucket: bucket, s3_key: key } = context.held.record;
  if (entry?.s3_bucket !== bucket || entry.s3_key !== key) return false;
  return extensionOf(context, entry.file_size) !== undefined;
}

/** A stream without a key takes its own name with the same write: one write less for a file sent in one PutObject. */
async function settle({ context }: StreamContext, facts: FileFacts, by: CompletedBy): Promise<void> {
  const { held } = context;
  const of = partsToVerify(context);
  const verify: Waiting = { for: "verify", done: 0, of };
  const waiting_for = of === 0 ? null : formatWaiting(verify);
  const patch = { ...factsAsFields(facts), completed_by: by, waiting_for };
  const change = { patch, log: [`complete: ${describeCompletedBy(by)}`] };
  const key = held.kind === "opening" ? takingFirstKey(context) : undefined;
  if (key) {
    const taking = { ...change, takeKeys: key.takeKeys, patch: { ...patch, ...key.patch } };
    if ((await held.tryMove("settled", taking)).kind === "written") return;
  }
  // Another stream holds that name: another one is searched for when it is needed.
  await held.move("settled", change);
}

/** A browser's empty file reserves the name while the bytes arrive under a temporary one. */
async function isPlaceholder({ context, requested }: StreamContext, facts: FileFacts): Promise<boolean> {
  const { held, rules, deps } = context;
  const path = held.record.original_path;
  if (facts.size > 0 || held.kind !== "opening" || requested.completion === "finalize") return false;
  if (rules.temporaryNames.suffixOf(path) !== undefined) return false;
  return (await deps.files.temporaryOf(path, rules.temporaryNames)) !== undefined;
}

async function judgeFile(stream: StreamContext, facts: FileFacts): Promise<Completion> {
  const { held, deps, rules } = stream.context;
  return judgeCompletion({
    quietMs: stream.history.quietMs(deps.clock.monotonicMs()),
    longestPauseMs: stream.history.longestPauseMs,
    idleTimeoutMs: rules.idleTimeoutMs,
    idleMaxMs: rules.idleMaxMs,
    temporarySuffix: rules.temporaryNames.suffixOf(held.record.original_path),
    renamed: renamedSince(stream, facts),
    marker: await markerOf(stream, facts),
    requested: stream.requested.completion,
  });
}

/** `<name>.done`, or `<final name>.done` while the name has a temporary suffix; the newer one if both exist. */
export async function markerOf(
  stream: StreamContext,
  facts: Pick<FileFacts, "mtimeNs">,
): Promise<{ name: string; fresh: boolean } | undefined> {
  const isFresh = ({ mtimeNs }: { mtimeNs: string }): boolean => BigInt(mtimeNs) >= BigInt(facts.mtimeNs);
  const known = knownMarkers(stream);
  // What completes the file is always looked at now.
  const found = known && !known.some(isFresh) ? known : await lookForMarkers(stream);
  const fresh = found.find(isFresh);
  const marker = fresh ?? found[0];
  if (marker === undefined) return undefined;
  const { name } = marker;
  return { name: name.slice(name.lastIndexOf("/") + 1) + MARKER_SUFFIX, fresh: fresh !== undefined };
}

/**
 * While a file grows from check to check, a marker is looked for now and then: it would be stale with the next write. An
 * event that names one leads to a look at once.
 */
function knownMarkers({ context, history, markers }: StreamContext): MarkerLook["found"] | undefined {
  const { held, deps } = context;
  if (markers === undefined || history.bytesPerMs === undefined || held.kind === "s3_completed")
    return undefined;
  const recent = deps.clock.monotonicMs() - markers.atMs < LIMITS.lookAgainMs;
  return recent && markers.path === held.record.original_path ? markers.found : undefined;
}

async function lookForMarkers(stream: StreamContext): Promise<MarkerLook["found"]> {
  const { context, pokes } = stream;
  const { deps, held, rules } = context;
  const atMs = deps.clock.monotonicMs();
  const path = held.record.original_path;
  const found: { name: string; mtimeNs: string }[] = [];
  for (const name of new Set([path, rules.temporaryNames.finalOf(path)])) {
    const mtimeNs = await deps.files.marker(name);
    if (mtimeNs !== undefined) found.push({ name, mtimeNs });
  }
  // An event that came meanwhile may name another one.
  if (stream.pokes === pokes) stream.markers = { atMs, path, found };
  return found;
}

async function writerOf(stream: StreamContext, facts: FileFacts): Promise<Waiting | undefined> {
  const { deps, rules, held } = stream.context;
  if (rules.ignoreOpen || stream.requested.force) return undefined;
  const writer = await deps.files.openForWriting(held.record.original_path, facts);
  return writer.kind === "open" ? waitsForWriter(writer) : undefined;
}

export function waitsForWriter({ pid, command, mapped }: Extract<Writers, { kind: "open" }>): Waiting {
  return { for: "writer", pid, command, ...(mapped ? { mapped } : {}) };
}
