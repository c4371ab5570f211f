/** A step of a growing stream: `opening` or `processing`. Sends what is full, then asks whether the file is complete. */
import { pendingRanges, type PartRange } from "../stream/pending-ranges.ts";
import { StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { planCapacity } from "../stream/part-plan.ts";
import { MARKER_SUFFIX } from "../stream/temporary-names.ts";
import type { Writers } from "../ports/file-source.ts";
import { factsAsFields, sameFile, type FileFacts } from "../stream/identity.ts";
import type { CompletedBy } from "../stream/record.ts";
import { describeCompletedBy, type Waiting } from "../stream/waiting.ts";
import { recognised } from "./assembled.ts";
import { inView, judgeCompletion, type Completion } from "./completion.ts";
import { AGAIN, awaitLease, progress, type Life, type Step } from "./life.ts";
import { whereIsIt } from "./missing-file.ts";
import { unreadableFile } from "../object/open-file.ts";
import { openUpload, takeInheritedKey, takingFirstKey } from "../object/open-object.ts";
import { sendPart, type Sent } from "../object/part-sender.ts";
import { removeQuietly } from "./remove-quietly.ts";
import { supersede } from "./supersede.ts";
import { reconciled } from "./upload-gone.ts";
import { reach } from "../object/context.ts";

export async function growStep(life: Life): Promise<Step> {
  const { held, deps } = life.context;
  const look = await deps.files.look(held.record.original_path);
  if (look.kind === "unreadable") throw unreadableFile(look);
  if (look.kind !== "file") return await whereIsIt(life, look);
  const same = sameFile(held.record, look.facts, { at: "its_path", sentBytes: sentBytes(life) });
  if (same.kind === "other") {
    const { file_inode: inode = look.facts.inode } = held.record;
    // Another file at the path says nothing of where this stream's own has gone.
    if (same.because === "file_replaced" || inode !== look.facts.inode) return await whereIsIt(life, look);
    await noteShorter(life, look.facts);
    return await supersede(life, same.because, look.facts);
  }
  await noteShorter(life, look.facts);
  if (life.history.firstLook && !life.context.resumed) await takeInheritedKey(life.context);
  see(life, look.facts);
  assertCapacity(life, look.facts);
  const sent = await sendFullParts(life, look.facts, same.kind === "same");
  return sent ?? (await judge(life, look.facts));
}

/** A reopened file has its earlier object in S3, and is not to become shorter than that. */
function sentBytes({ context: { held, deps } }: Life): number {
  const entry = deps.completed.entry(held.record.original_path);
  const reopened = entry !== undefined && entry.stream_id === held.record.supersedes;
  return Math.max(held.sentEnd, reopened ? entry.file_size : 0);
}

async function noteShorter({ context: { held, deps } }: Life, facts: FileFacts): Promise<void> {
  const path = held.record.original_path;
  const entry = deps.completed.entry(path);
  if (entry && facts.size < entry.file_size && !entry.seen_shorter) {
    await held.persistently(() => deps.completed.seenShorter(path));
  }
}

/** Notes what the look showed; the note rides with the next write, or goes alone when that is long in coming. */
function see(life: Life, facts: FileFacts): void {
  const { held, deps } = life.context;
  const changed = life.history.see(facts, deps.clock.monotonicMs());
  const { record } = held;
  if (!changed && record.file_size === facts.size && record.file_mtime_ns === facts.mtimeNs) return;
  held.note({ ...factsAsFields(facts), longest_pause_ms: Math.round(life.history.longestPauseMs) });
  if (record.completed_by === "rename" && !renamedSince(life, facts)) held.note({ completed_by: null });
}

/** A temporary suffix was dropped, and nothing has been written since. */
function renamedSince(life: Life, facts: FileFacts): boolean {
  const { renamedAtCtimeNs } = life;
  return renamedAtCtimeNs !== undefined && BigInt(facts.mtimeNs) <= BigInt(renamedAtCtimeNs);
}

/** Returns what to do next, or undefined when every full part is in S3. */
async function sendFullParts(life: Life, facts: FileFacts, sure: boolean): Promise<Step | undefined> {
  if (fullRanges(life, facts.size).length > 0) {
    if (life.context.held.kind === "opening") return await openFor(life, facts);
    const ready = await reconciled(life, facts, sure);
    if (ready) return ready;
  }
  fill(life, facts.size);
  if (life.sending.size === 0) return undefined;
  await progress(life, { for: "parts", count: life.sending.size });
  // A part may have ended in trouble meanwhile; the next step meets it.
  if (life.trouble === undefined) life.fillTo = facts.size;
  return { kind: "wait", ms: LIMITS.lookAgainMs };
}

/** Full parts up to `size` that are neither in S3 nor on their way: as many as the lane has slots. */
function fullRanges(life: Life, size: number): PartRange[] {
  const { held, deps } = life.context;
  const limit = Math.max(1, deps.lane.slots - life.sending.size);
  const skip = (n: number): boolean => life.sending.has(n);
  return pendingRanges(held.parts, held.plan, size, { tail: false, limit, skip });
}

function fill(life: Life, size: number): void {
  const { context, sending } = life;
  for (const range of fullRanges(life, size)) {
    if (sending.size >= context.deps.lane.slots) break;
    sending.set(range.number, ended(life, range.number, sendPart(context, range)));
  }
}

async function openFor(life: Life, facts: FileFacts): Promise<Step> {
  const opened = await openUpload(life.context, facts);
  if (opened.kind === "fenced") return await awaitLease(life, "CreateMultipartUpload");
  if (opened.kind === "same") return await recognised(life, facts, opened.standing);
  if (opened.found) life.reconciled = false;
  return AGAIN;
}

/**
 * The end of a part's sending begins the next one that is known to be full, or wakes the stream; its error waits for the
 * next step. A file that gave fewer bytes than stat promised is not looked at again at once: that may last.
 */
async function ended(life: Life, number: number, sending: Promise<Sent>): Promise<void> {
  let how: Sent["kind"] | "trouble";
  try {
    how = (await sending).kind;
  } catch (error) {
    how = "trouble";
    life.trouble ??= error;
  }
  life.sending.delete(number);
  if (how === "upload_gone") life.reconciled = false;
  if (how !== "sent") life.fillTo = undefined;
  if (how === "file_moved_on") return;
  const { fillTo } = life;
  if (fillTo !== undefined && !life.context.signal.aborted) {
    const before = life.sending.size;
    // Every part looks at the file again itself: by its descriptor, before it reads.
    fill(life, fillTo);
    if (life.sending.size > before) return;
  }
  life.wakeup.poke();
}

function assertCapacity(life: Life, facts: FileFacts): void {
  const { held, deps } = life.context;
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
async function judge(life: Life, facts: FileFacts): Promise<Step> {
  const { held, deps } = life.context;
  if (await isPlaceholder(life, facts)) {
    return await removeQuietly(
      life,
      "placeholder",
      "an empty file beside one that bears its name and a temporary suffix",
    );
  }
  const completion = await judgeFile(life, facts);
  if (!completion.complete) {
    await progress(life, inView(completion.waiting(deps.clock.wallMs()), deps.files));
    return { kind: "wait", ms: Math.min(completion.inMs ?? LIMITS.lookAgainMs, LIMITS.lookAgainMs) };
  }
  const writer = await writerOf(life, facts);
  if (writer) {
    await progress(life, writer);
    return { kind: "wait", ms: LIMITS.lookAgainMs };
  }
  // One PutObject takes what a pooled buffer holds; a longer file needs an upload, if only for its tail.
  if (held.kind === "opening" && facts.size > deps.lane.bufferBytes) return await openFor(life, facts);
  await settle(life, facts, completion.by);
  await reach(life.context, "settled");
  deps.observer.moved(held.record, completion.by);
  return AGAIN;
}

/** A stream that has no key yet takes its own name along: one write less for a file that goes up in one PutObject. */
async function settle({ context }: Life, facts: FileFacts, by: CompletedBy): Promise<void> {
  const { held } = context;
  const patch = { ...factsAsFields(facts), completed_by: by, waiting_for: null };
  const change = { patch, log: [`complete: ${describeCompletedBy(by)}`] };
  const key = held.kind === "opening" ? takingFirstKey(context) : undefined;
  if (key) {
    const taking = { ...change, takeKeys: key.takeKeys, patch: { ...patch, ...key.patch } };
    if ((await held.tryMove("settled", taking)).kind === "written") return;
  }
  // Another stream holds that name: the search for one begins when it is needed.
  await held.move("settled", change);
}

/** A browser's empty file holds the name while the bytes come under a temporary one. */
async function isPlaceholder({ context, requested }: Life, facts: FileFacts): Promise<boolean> {
  const { held, rules, deps } = context;
  const path = held.record.original_path;
  if (facts.size > 0 || held.kind !== "opening" || requested.completion === "finalize") return false;
  if (rules.temporaryNames.suffixOf(path) !== undefined) return false;
  return (await deps.files.temporaryOf(path, rules.temporaryNames)) !== undefined;
}

async function judgeFile(life: Life, facts: FileFacts): Promise<Completion> {
  const { held, deps, rules } = life.context;
  return judgeCompletion({
    quietMs: life.history.quietMs(deps.clock.monotonicMs()),
    longestPauseMs: life.history.longestPauseMs,
    idleTimeoutMs: rules.idleTimeoutMs,
    idleMaxMs: rules.idleMaxMs,
    temporarySuffix: rules.temporaryNames.suffixOf(held.record.original_path),
    renamed: renamedSince(life, facts),
    marker: await markerOf(life, facts),
    requested: life.requested.completion,
  });
}

/** `<name>.done`, or `<final name>.done` while the name bears a temporary suffix; the fresh one where both are there. */
export async function markerOf(
  life: Life,
  facts: Pick<FileFacts, "mtimeNs">,
): Promise<{ name: string; fresh: boolean } | undefined> {
  const { deps, held, rules } = life.context;
  const path = held.record.original_path;
  let stale: { name: string; fresh: boolean } | undefined;
  for (const name of new Set([path, rules.temporaryNames.finalOf(path)])) {
    const mtimeNs = await deps.files.marker(name);
    if (mtimeNs === undefined) continue;
    const marker = name.slice(name.lastIndexOf("/") + 1) + MARKER_SUFFIX;
    if (BigInt(mtimeNs) >= BigInt(facts.mtimeNs)) return { name: marker, fresh: true };
    stale ??= { name: marker, fresh: false };
  }
  return stale;
}

async function writerOf(life: Life, facts: FileFacts): Promise<Waiting | undefined> {
  const { deps, rules, held } = life.context;
  if (rules.ignoreOpen || life.requested.force) return undefined;
  const writer = await deps.files.openForWriting(held.record.original_path, facts);
  return writer.kind === "open" ? waitsForWriter(writer) : undefined;
}

export function waitsForWriter({ pid, command, mapped }: Extract<Writers, { kind: "open" }>): Waiting {
  return { for: "writer", pid, command, ...(mapped ? { mapped } : {}) };
}
