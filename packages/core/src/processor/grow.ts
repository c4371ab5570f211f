/** A step of a growing stream: `opening` or `processing`. Sends what is full, then asks whether the file is complete. */
import { StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { pendingRanges } from "../checkpoint/pending-ranges.ts";
import { MARKER_SUFFIX, metadataKey, temporarySuffix, withoutTemporarySuffix } from "../paths/object-key.ts";
import { formatPlan, choosePlan, planCapacity } from "../parts/part-plan.ts";
import { isoNow } from "../ports/clock.ts";
import { factsAsFields, sameFile, type FileFacts } from "../stream/identity.ts";
import { newRecord } from "../stream/new-record.ts";
import { failed } from "../stream/state.ts";
import type { Waiting } from "../stream/waiting.ts";
import { judgeCompletion, type Completion } from "./completion.ts";
import { openUpload } from "./open-object.ts";
import { sendPart } from "./part-sender.ts";
import { reconcileUpload } from "./reconcile-upload.ts";
import { recognised, uploadGone } from "./finish.ts";
import type { Life, Step } from "./stream-processor.ts";

const AGAIN: Step = { kind: "again" };

export async function growStep(life: Life): Promise<Step> {
  const { held, deps } = life.context;
  const look = await deps.files.look(held.record.original_path);
  if (look.kind === "missing") return await whereIsIt(life);
  if (look.kind === "not_a_stream") return await supersede(life, "file_replaced", undefined);
  if (look.kind === "unreadable") return await unreadable(life, look);
  const same = sameFile(held.record, look.facts, held.sentEnd);
  if (!same.same) return await supersede(life, same.because, look.facts);
  see(life, look.facts);
  const sent = await sendFullParts(life, look.facts, same.sure);
  if (sent) return sent;
  return await judge(life, look.facts);
}

/** Notes what the look showed; the note rides with the next write, or goes alone when that is long in coming. */
function see(life: Life, facts: FileFacts): void {
  const { held, deps } = life.context;
  const changed = life.history.see(facts, deps.clock.monotonicMs());
  const { record } = held;
  if (!changed && record.file_size === facts.size && record.file_mtime_ns === facts.mtimeNs) return;
  held.note({ ...factsAsFields(facts), longest_pause_ms: Math.round(life.history.longestPauseMs) });
}

/** Returns what to do next, or undefined when every full part is in S3. */
async function sendFullParts(life: Life, facts: FileFacts, sure: boolean): Promise<Step | undefined> {
  const { held, deps, context } = { ...life.context, context: life.context };
  const limit = Math.max(1, deps.lane.slots);
  const skip = (n: number): boolean => life.sending.has(n);
  const ranges = pendingRanges(held.parts, held.plan, facts.size, { tail: false, limit, skip });
  if (ranges.length > 0) {
    assertCapacity(life, facts);
    if (held.kind === "opening") {
      const opened = await openUpload(context, facts);
      if (opened.kind === "same") return await recognised(life, facts, opened.standing);
      return AGAIN;
    }
    const ready = await reconciled(life, sure);
    if (ready) return ready;
  }
  for (const range of ranges) {
    if (life.sending.size >= limit) break;
    const job = sendPart(held, range, context.store, deps, context.signal).then((sent) => {
      if (sent.kind === "upload_gone") life.reconciled = false;
    });
    life.sending.set(range.number, settle(life, range.number, job));
  }
  if (life.sending.size === 0) return undefined;
  await progress(life, { for: "growth" });
  return { kind: "wait", ms: LIMITS.lookAgainMs };
}

/** The end of a part's sending wakes the stream; its error waits for the next step. */
async function settle(life: Life, number: number, job: Promise<void>): Promise<void> {
  try {
    await job;
  } catch (error) {
    life.trouble ??= error;
  } finally {
    life.sending.delete(number);
    life.wakeup.poke();
  }
}

/** Undefined when checkpoint and S3 agree, which is asked once for a resumed stream. */
export async function reconciled(life: Life, sure: boolean): Promise<Step | undefined> {
  if (life.reconciled || life.context.held.record.s3_upload_id === undefined) return undefined;
  await Promise.allSettled(life.sending.values());
  const outcome = await reconcileUpload(life.context, sure);
  if (outcome.kind === "upload_gone") return await uploadGone(life);
  if (outcome.kind === "another_file") {
    const look = await life.context.deps.files.look(life.context.held.record.original_path);
    return await supersede(life, "file_replaced", look.kind === "file" ? look.facts : undefined);
  }
  life.reconciled = true;
  return AGAIN;
}

function assertCapacity(life: Life, facts: FileFacts): void {
  const { held, deps } = life.context;
  const most = Math.min(planCapacity(held.plan), deps.store.profile.maxObjectBytes);
  if (facts.size > most) {
    throw new StreamFailure("part_limit", `the file has ${facts.size} bytes; with plan ${held.record.part_plan} one object holds ${most}`);
  }
}

/** All full parts are in S3: is the file complete? */
async function judge(life: Life, facts: FileFacts): Promise<Step> {
  const { held, deps } = life.context;
  const completion = await judgeFile(life, facts);
  if (!completion.complete) {
    await progress(life, completion.waiting(deps.clock.wallMs()));
    return { kind: "wait", ms: Math.min(completion.inMs ?? LIMITS.lookAgainMs, LIMITS.lookAgainMs) };
  }
  const writer = await writerOf(life, facts);
  if (writer) {
    await progress(life, writer);
    return { kind: "wait", ms: LIMITS.lookAgainMs };
  }
  await held.move("settled", {
    patch: { ...factsAsFields(facts), completed_by: completion.by, waiting_for: null },
    log: [`complete: ${completion.by}`],
  });
  deps.observer.moved(held.record, completion.by);
  return AGAIN;
}

async function judgeFile(life: Life, facts: FileFacts): Promise<Completion> {
  const { held, deps, rules } = life.context;
  const path = held.record.original_path;
  const { renamedAtCtimeNs } = life;
  return judgeCompletion({
    quietMs: life.history.quietMs(deps.clock.monotonicMs()),
    longestPauseMs: life.history.longestPauseMs,
    idleTimeoutMs: rules.idleTimeoutMs,
    idleMaxMs: rules.idleMaxMs,
    temporarySuffix: temporarySuffix(path),
    renamed: renamedAtCtimeNs !== undefined && BigInt(facts.mtimeNs) <= BigInt(renamedAtCtimeNs),
    marker: await markerOf(life, facts),
    requested: life.requested.completion,
  });
}

/** `<name>.done`, or `<final name>.done` while the name bears a temporary suffix. */
async function markerOf(life: Life, facts: FileFacts) {
  const { files } = life.context.deps;
  const path = life.context.held.record.original_path;
  for (const name of new Set([path, withoutTemporarySuffix(path)])) {
    const mtimeNs = await files.marker(name);
    if (mtimeNs === undefined) continue;
    const base = name.slice(name.lastIndexOf("/") + 1);
    return { name: base + MARKER_SUFFIX, fresh: BigInt(mtimeNs) >= BigInt(facts.mtimeNs) };
  }
  return undefined;
}

async function writerOf(life: Life, facts: FileFacts): Promise<Waiting | undefined> {
  const { deps, rules, held } = life.context;
  if (rules.ignoreOpen || life.requested.force) return undefined;
  const writer = await deps.files.openForWriting(held.record.original_path, facts);
  return writer.kind === "open" ? { for: "writer", pid: writer.pid, command: writer.command } : undefined;
}

/** Tells Redis why the stream is not final and how large its file is: at once when the reason is new, else now and then. */
export async function progress(life: Life, waiting: Waiting): Promise<void> {
  const { held, deps } = life.context;
  const trouble = life.context.store.trouble;
  const now: Waiting = trouble === undefined ? waiting : { for: "store", detail: trouble };
  const text = JSON.stringify(now);
  const nowMs = deps.clock.monotonicMs();
  const sameReason = held.record.waiting_for?.startsWith(`{"for":"${now.for}"`) === true;
  const due = nowMs - life.progressAtMs >= LIMITS.progressEveryMs;
  if (sameReason && (!due || (text === held.record.waiting_for && !held.hasNotes))) return;
  life.progressAtMs = nowMs;
  await held.update({ patch: { waiting_for: text }, event: { type: "progress" } });
}

async function whereIsIt(life: Life): Promise<Step> {
  const { held, deps } = life.context;
  const where = await deps.volume.whereabouts(held.record);
  switch (where.kind) {
    case "back":
      return AGAIN;
    case "offline":
      await progress(life, { for: "volume", detail: where.detail });
      return { kind: "wait", ms: LIMITS.lookAgainMs };
    case "renamed":
      return await follow(life, where.path);
    case "missing":
      throw new StreamFailure(
        life.resumed && life.history.firstLook ? "file_missing_on_resume" : "file_missing",
        "the file is not there any more, and no file of the watch is the same file",
      );
  }
}

/** A rename inside the watch keeps stream and key. One that drops a temporary suffix says the file is complete. */
async function follow(life: Life, path: string): Promise<Step> {
  const { held, deps } = life.context;
  const look = await deps.files.look(path);
  if (look.kind !== "file") return { kind: "wait", ms: LIMITS.lookEveryMs };
  const before = held.record.original_path;
  const final = temporarySuffix(before) !== undefined && temporarySuffix(path) === undefined;
  const outcome = await held.rename(path, {
    patch: final ? { completed_by: "rename", file_ctime_ns: look.facts.ctimeNs } : {},
    log: [`renamed to ${path}`],
    event: { type: "log", detail: "renamed" },
  });
  if (outcome.kind === "path_taken") return { kind: "wait", ms: LIMITS.lookAgainMs };
  if (final) life.renamedAtCtimeNs = look.facts.ctimeNs;
  return AGAIN;
}

async function unreadable(life: Life, look: { code: string; detail: string }): Promise<Step> {
  if (look.code === "EACCES" || look.code === "EPERM") throw new StreamFailure("unreadable_file", look.detail);
  // EIO, ESTALE and their like come from the volume, not from the file: they are waited for.
  await progress(life, { for: "volume", detail: look.detail });
  return { kind: "wait", ms: LIMITS.lookAgainMs };
}

/** Two files never meet in one object: this stream ends, and the file that is there now gets its own. */
export async function supersede(
  life: Life,
  because: "file_replaced" | "file_truncated",
  facts: FileFacts | undefined,
): Promise<Step> {
  const { held, deps, rules, signal } = life.context;
  await Promise.allSettled(life.sending.values());
  const { record } = held;
  if (!facts) throw new StreamFailure("file_missing", "what stands at the path now is not a regular file");
  const successor = newRecord({
    id: deps.newId(),
    path: record.original_path,
    source: record.source,
    watch: record.watch,
    bucket: record.s3_bucket,
    keyPrefix: record.s3_key_prefix,
    contentType: record.content_type ?? "application/octet-stream",
    verify: rules.verify,
    plan: rules.plan,
    owner: deps.worker.id,
    nowUtc: isoNow(deps.clock),
    facts,
    supersedes: held.parts.size > 0 ? { id: record.id } : undefined,
  });
  const keys = record.s3_key === undefined ? [] : [record.s3_key, metadataKey(record.s3_key)];
  const { s3_key: key, s3_upload_id: uploadId, s3_bucket: bucket } = record;
  const worthless = held.parts.size === 0;
  if (worthless && key !== undefined && uploadId !== undefined) {
    await life.context.store.call("AbortMultipartUpload", () => deps.store.abort({ bucket, key, uploadId }), signal);
  }
  await held.replaceBy(successor, [`takes the place of ${record.id}: ${because}`], {
    patch: {
      status: failed(because),
      failure_reason: because,
      failure_detail: `superseded by ${successor.id}`,
      superseded_by: successor.id,
      waiting_for: null,
    },
    releasePath: true,
    releaseKeys: keys.map((name) => `${bucket}/${name}`),
    remove: worthless,
    log: [`${because}: a new generation, ${successor.id}, takes its place`],
    event: { type: worthless ? "removed" : "state", detail: because },
  });
  return { kind: "ended", ending: { kind: "superseded", successor } };
}

/** The plan a stream begins anew with. */
export function freshPlan(life: Life): string {
  return formatPlan(choosePlan(life.context.rules.plan));
}
