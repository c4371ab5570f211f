/**
 * The scan at start, and every later search for streams that lost their owner: each interrupted stream of this source
 * is classified, claimed under a higher fence and resumed from its checkpoint. One bad record never stops the others.
 */
import {
  StoreError,
  displayPath,
  foreignBucket,
  kindOf,
  patched,
  sameFile,
  streamId,
  type FileSource,
  type Parts,
  type StreamId,
  type StreamRecord,
} from "@sluice/core";
import {
  WatchStore,
  failBroken,
  loadStreams,
  repairIndexes,
  type ClaimedStream,
  type FoundingRecord,
  type LoadedStream,
  type SchemaContext,
  type StreamStore,
  type WorkerIdentity,
  type WorkerRegistry,
} from "@sluice/redis-schema";
import { trouble } from "@sluice/control/troubles";
import type { FilledIn } from "./founding.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { listedStreams, type BrokenReason } from "./unlisted.ts";
import { fileOfRecord, type LiveFile } from "../streams/path-table.ts";
import type { ProcessorPool } from "../streams/processor-pool.ts";
import type { Supervisor, SupervisorLog } from "../streams/supervisor.ts";
import type { Watch } from "../files/watch/watch.ts";
import type { WatchDeps } from "../files/watch/watch-runner.ts";

export interface RecovererDeps {
  supervisor: Pick<Supervisor, "table" | "ended"> & {
    readonly pool: Pick<ProcessorPool, "isFree" | "hold" | "start">;
  };
  context: SchemaContext;
  identity: WorkerIdentity;
  store: StreamStore;
  source: string;
  /** The buckets that may hold a stream's bytes. */
  buckets: readonly string[];
  watches: readonly Watch[];
  /** Nonces of workers on this host whose process is gone: their streams may be taken over at once. */
  deadNonces(): readonly string[];
  files: Pick<FileSource, "look">;
  rootIdentity: WatchDeps["rootIdentity"];
  /**
   * Adds the fields that later versions introduced to a record of an early version; undefined if it was lost meanwhile.
   */
  fillIn(founding: FoundingRecord, parts: Parts, watch: Watch): Promise<FilledIn | undefined>;
  log: SupervisorLog;
}

export interface ResumeReport {
  resumed: number;
  /** Held by a live worker. */
  held: number;
  /** Of another source. */
  elsewhere: number;
  broken: number;
}

/**
 * Nonces of leases in Redis that hold no stream: their process ran on this host and is gone, or its start still waits
 * for the store.
 */
export async function idleNonces(
  registry: WorkerRegistry,
  isGone: (other: Omit<ProcessIdentity, "nonce">) => boolean,
): Promise<string[]> {
  const nonces: string[] = [];
  for (const { lease } of await registry.list()) {
    if (lease.kind !== "ok") continue;
    const waits = lease.value.lag_bytes === undefined;
    if (waits || isGone(lease.value)) nonces.push(lease.value.nonce);
  }
  return nonces;
}

/** Reads `streams:active` and `streams:pending_completion`, oldest first. Running it twice resumes nothing twice. */
export async function resumeInterruptedStreams(deps: RecovererDeps): Promise<ResumeReport> {
  const { report, waiting } = await resume(deps, await listedStreams(deps));
  // Until they can be taken over, their paths are taken and their files are known.
  deps.supervisor.table.setWaiting(waiting);
  return report;
}

/** Resumes exactly this stream, which stopped here. Reads nothing else. */
export async function resumeStream(id: string, deps: RecovererDeps): Promise<void> {
  const { waiting } = await resume(deps, [streamId(id)]);
  deps.supervisor.table.addWaiting(waiting);
}

/** `waiting`: streams that stay live without running here. */
async function resume(
  deps: RecovererDeps,
  listed: readonly StreamId[],
): Promise<{ report: ResumeReport; waiting: LiveFile[] }> {
  const report: ResumeReport = { resumed: 0, held: 0, elsewhere: 0, broken: 0 };
  const ids = listed.filter((id) => deps.supervisor.pool.isFree(id));
  const waiting: LiveFile[] = [];
  for await (const loaded of loadStreams(deps.context, ids, { parts: true })) {
    const ours: Ours[] = [];
    for (const stream of loaded) {
      const place = await classify(deps, stream, report);
      if (place) ours.push({ stream, ...place });
    }
    waiting.push(...(await take(deps, ours, report)));
  }
  return { report, waiting };
}

interface Place {
  watch: Watch;
  /** Its file's path, if the root of its watch was renamed. */
  path?: string;
}

interface Ours extends Place {
  stream: LoadedStream;
}

/** The watch of a stream that this worker must resume; undefined for any other, which has been handled. */
async function classify(
  deps: RecovererDeps,
  stream: LoadedStream,
  report: ResumeReport,
): Promise<Place | undefined> {
  const { parsed } = stream;
  switch (parsed.kind) {
    case "record":
      return await classifyRecord(deps, parsed.record, report);
    case "founding":
      return await classifyFounding(deps, parsed.founding, stream, report);
    case "incomplete":
      return await markBroken(
        deps,
        stream,
        report,
        "incomplete_metadata",
        `missing: ${parsed.missing.join(", ")}`,
      );
    case "absent":
      return await markBroken(deps, stream, report, "incomplete_metadata", "the record is gone");
    case "corrupt":
      return await markBroken(deps, stream, report, "corrupt_record", parsed.detail);
    case "newer":
      deps.log.warn(
        { stream_id: stream.id, schema_version: parsed.version },
        "a record of a newer Sluice is left alone: upgrade this worker",
      );
      return undefined;
  }
}

async function markBroken(
  deps: RecovererDeps,
  { id, raw }: LoadedStream,
  report: ResumeReport,
  reason: BrokenReason,
  detail: string,
): Promise<undefined> {
  report.broken += 1;
  const broken = { id, raw, reason, detail, webhookEvents: deps.store.webhookEvents };
  await failBroken(deps.context, deps.identity, broken, deps.deadNonces());
}

async function classifyRecord(
  deps: RecovererDeps,
  record: StreamRecord,
  report: ResumeReport,
): Promise<Place | undefined> {
  if (record.status === "completed" || record.status.startsWith("failed_")) {
    await repairIndexes(deps.context, [record.id]);
    return undefined;
  }
  const ended = deps.supervisor.ended.knownBetter(record);
  if (ended) {
    const { kind } = await deps.store.writeBack(ended.record, ended.parts);
    if (kind !== "written") return undefined;
    deps.log.warn(
      { stream_id: record.id, status: ended.record.status, detail: record.id, ...trouble("record_repaired") },
      "Redis had lost the end of this stream: it was written back as this worker knew it",
    );
    return undefined;
  }
  if (record.source !== deps.source) {
    report.elsewhere += 1;
    return undefined;
  }
  const watch = watchOf(deps.watches, record.original_path);
  if (watch) return { watch };
  const place = await underRenamedRoot(record, deps);
  if (!place)
    deps.log.warn(
      { stream_id: record.id, watch: record.watch },
      "no watch covers this stream's file; it waits until one does",
    );
  return place;
}

async function classifyFounding(
  deps: RecovererDeps,
  { id, kind, original_path: path, s3_bucket: bucket }: FoundingRecord,
  stream: LoadedStream,
  report: ResumeReport,
): Promise<Place | undefined> {
  if (kind === "completed" || kind === "failed") {
    await repairIndexes(deps.context, [id]);
    return undefined;
  }
  const { source } = stream.raw;
  if (source !== undefined && source !== deps.source) {
    report.elsewhere += 1;
    return undefined;
  }
  const watch = watchOf(deps.watches, path);
  const foreign = foreignBucket(bucket, deps.buckets);
  if (watch && foreign !== undefined) return await markBroken(deps, stream, report, "access_denied", foreign);
  return watch && { watch };
}

export function watchOf(watches: readonly Watch[], path: string): Watch | undefined {
  return watches.find((watch) => path.startsWith(`${watch.root}/`));
}

/** Returns the streams that stay live without running here. */
async function take(deps: RecovererDeps, found: readonly Ours[], report: ResumeReport): Promise<LiveFile[]> {
  using held = deps.supervisor.pool.hold(found.map(({ stream }) => stream.id));
  // Without the streams that were started here since the indexes were read.
  const ours = found.filter(({ stream }) => held.has(stream.id));
  const waiting: LiveFile[] = [];
  const claims = await deps.store.claimAny(
    ours.map(({ stream }) => stream.id),
    ownersOf(ours),
  );
  for (const [at, claim] of claims.entries()) {
    const mine = ours[at];
    if (claim.kind === "held") {
      report.held += 1;
      waiting.push(...(mine ? liveFile(mine.stream) : []));
    }
    if (mine && claim.kind === "unreadable")
      await markBroken(deps, mine.stream, report, "corrupt_record", claim.detail);
    // Completed or gone since it was read: the next round finds out which.
    if (!mine || claim.kind !== "claimed") continue;
    const whole = await wholeStream(deps, claim, mine);
    if (!whole) {
      waiting.push(...liveFile(mine.stream));
      continue;
    }
    const { watch, path } = mine;
    const record =
      path === undefined ? whole.record : await moveUnder(whole.record, { watch, path }, deps.store);
    if (!record) {
      await deps.store.release(whole.record);
      waiting.push(...liveFile(mine.stream));
      continue;
    }
    deps.supervisor.pool.start({ because: "resumed", record, parts: whole.parts, watch });
    report.resumed += 1;
  }
  return waiting;
}

function liveFile({ id, parsed }: LoadedStream): LiveFile[] {
  if (parsed.kind === "record")
    return [{ id, path: parsed.record.original_path, file: fileOfRecord(parsed.record) }];
  return parsed.kind === "founding" ? [{ id, path: parsed.founding.original_path, file: {} }] : [];
}

/**
 * The parts were read before the claim. Nobody wrote in between: a record that changed meanwhile had a live owner, and
 * then the claim is refused; a record whose owner lapsed in between is read again.
 */
async function wholeStream(
  deps: RecovererDeps,
  claim: ClaimedStream & { kind: "claimed" },
  { stream, watch }: Ours,
) {
  const { parsed } = claim;
  const before = stream.parsed.kind === "record" ? stream.parsed.record.revision : undefined;
  if (parsed.kind === "record") {
    const parts = parsed.record.revision === before ? stream.parts.parts : await deps.store.parts(claim.id);
    return { record: parsed.record, parts: parts.values() };
  }
  if (parsed.kind === "founding") return await filledIn(deps, claim, parsed.founding, { stream, watch });
  return undefined;
}

/** The store may be unavailable, or deny access to this key: the stream is released, and the next round tries again. */
async function filledIn(
  deps: RecovererDeps,
  { id, fence }: ClaimedStream & { kind: "claimed" },
  founding: FoundingRecord,
  { stream, watch }: Ours,
): Promise<FilledIn | undefined> {
  try {
    return await deps.fillIn(founding, stream.parts.parts, watch);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    deps.log.warn(
      { stream_id: id, err: `${error.code}: ${error.message}` },
      "a record of an early version waits for the store",
    );
    await deps.store.release({ id, fence });
    return undefined;
  }
}

function ownersOf(ours: readonly Ours[]): Map<StreamId, string> {
  const owners = new Map<StreamId, string>();
  for (const { stream } of ours) {
    const owner = stream.raw["owner"];
    if (owner !== undefined) owners.set(stream.id, owner);
  }
  return owners;
}

interface UnderNewRoot {
  watch: Watch;
  path: string;
}

/**
 * Where the file of a stream that no watch covers is now, if the root of its watch was renamed and is configured under
 * its new name: its inode and birth time show that it is the same directory, so it is the same watch, and its live
 * streams keep their keys. A file that moved from a watch that is no longer configured into another directory is a new
 * stream there.
 */
async function underRenamedRoot(
  record: StreamRecord,
  deps: RecovererDeps,
): Promise<UnderNewRoot | undefined> {
  const read = await new WatchStore(deps.context).load(deps.source, record.watch);
  if (read.kind !== "ok" || read.value.root_inode === undefined) return undefined;
  const { root, root_inode: inode, root_birthtime_ns: birthtimeNs } = read.value;
  if (!record.original_path.startsWith(`${root}/`)) return undefined;
  for (const watch of deps.watches) {
    const now = await deps.rootIdentity(watch.root);
    if (now?.inode !== inode || now.birthtimeNs !== birthtimeNs) continue;
    const path = watch.root + record.original_path.slice(root.length);
    const look = await deps.files.look(path);
    if (look.kind !== "file") continue;
    const is = sameFile(record, look.facts, { at: "its_path", sentBytes: record.bytes_sent }).kind;
    if (is !== "other") return { watch, path };
  }
  return undefined;
}

/**
 * The claimed record under its new path; undefined if another stream has that path, or another worker has the record.
 */
async function moveUnder(
  record: StreamRecord,
  { watch, path }: UnderNewRoot,
  store: Pick<StreamStore, "rename">,
): Promise<StreamRecord | undefined> {
  const kind = kindOf(record.status);
  if (kind === undefined) return undefined;
  const patch = { watch: watch.name };
  const outcome = await store.rename(record, path, {
    from: [kind],
    patch,
    log: [`the root of its watch was renamed: its file is ${displayPath(path)} now`],
    event: { type: "log", detail: "renamed" },
  });
  if (outcome.kind !== "written") return undefined;
  return { ...patched(record, { ...patch, original_path: path }), revision: record.revision + 1 };
}
