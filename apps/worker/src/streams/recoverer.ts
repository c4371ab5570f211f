/**
 * The start-up scan, and every later look for streams that lost their owner: each interrupted stream of this source is
 * classified, claimed under a higher fence and resumed from its checkpoint. One bad record never stops the others.
 */
import type { Parts, StreamId, StreamRecord } from "@sluice/core";
import type { ClaimedStream, FoundingRecord, ParsedRecord } from "@sluice/redis-schema";
import type { FilledIn } from "./founding.ts";
import type { Supervisor, SupervisorLog } from "./supervisor.ts";
import type { Watch } from "./watch.ts";

export interface LoadedStream {
  id: StreamId;
  parsed: ParsedRecord;
}

export interface RecovererDeps {
  supervisor: Supervisor;
  source: string;
  watches: readonly Watch[];
  /** Ids in `streams:active` and `streams:pending_completion`. */
  liveIds(): Promise<StreamId[]>;
  /** One round trip for the list. */
  load(ids: readonly StreamId[]): Promise<LoadedStream[]>;
  claim(streams: readonly LoadedStream[]): Promise<ClaimedStream[]>;
  /** Of streams just claimed, one round trip for the list. */
  parts(ids: readonly StreamId[]): Promise<Parts[]>;
  /** A record without which nothing can go on becomes a visible failure. */
  failBroken(id: StreamId, reason: "incomplete_metadata" | "corrupt_record", detail: string): Promise<void>;
  /** A record of the founding phase gets the fields later phases added; undefined when it was lost meanwhile. */
  fillIn(founding: FoundingRecord, parts: Parts, watch: Watch): Promise<FilledIn | undefined>;
  /** A stream that ended is in a live index: it moves to its own. */
  repairIndex(record: StreamRecord): Promise<void>;
  log: SupervisorLog;
}

export interface ResumeReport {
  resumed: number;
  /** Held by a living worker. */
  held: number;
  /** Of another source. */
  elsewhere: number;
  broken: number;
}

/** Records looked at in one round trip. */
const CHUNK = 500;

export async function resumeInterruptedStreams(deps: RecovererDeps): Promise<ResumeReport> {
  const report: ResumeReport = { resumed: 0, held: 0, elsewhere: 0, broken: 0 };
  const ids = (await deps.liveIds()).filter((id) => !deps.supervisor.running.has(id));
  for (let at = 0; at < ids.length; at += CHUNK) {
    const loaded = await deps.load(ids.slice(at, at + CHUNK));
    const ours: { stream: LoadedStream; watch: Watch }[] = [];
    for (const stream of loaded) {
      const watch = await classify(deps, stream, report);
      if (watch) ours.push({ stream, watch });
    }
    await take(deps, ours, report);
  }
  return report;
}

/** The watch of a stream that is ours to resume; undefined for any other, which has been dealt with. */
async function classify(deps: RecovererDeps, stream: LoadedStream, report: ResumeReport): Promise<Watch | undefined> {
  const { parsed, id } = stream;
  switch (parsed.kind) {
    case "record":
      return await classifyRecord(deps, parsed.record, report);
    case "founding":
      return watchOf(deps.watches, parsed.founding.original_path);
    case "incomplete":
      report.broken += 1;
      await deps.failBroken(id, "incomplete_metadata", `missing: ${parsed.missing.join(", ")}`);
      return undefined;
    case "absent":
      report.broken += 1;
      await deps.failBroken(id, "incomplete_metadata", "the record is gone");
      return undefined;
    case "corrupt":
      report.broken += 1;
      await deps.failBroken(id, "corrupt_record", parsed.detail);
      return undefined;
    case "newer":
      deps.log.warn({ stream_id: id, schema_version: parsed.version }, "a record of a newer Sluice is left alone: upgrade this worker");
      return undefined;
  }
}

async function classifyRecord(deps: RecovererDeps, record: StreamRecord, report: ResumeReport): Promise<Watch | undefined> {
  if (record.status === "completed" || record.status.startsWith("failed_")) {
    await deps.repairIndex(record);
    return undefined;
  }
  if (record.source !== deps.source) {
    report.elsewhere += 1;
    return undefined;
  }
  const watch = watchOf(deps.watches, record.original_path);
  if (!watch) deps.log.warn({ stream_id: record.id, watch: record.watch }, "no watch covers this stream's file; it waits for one that does");
  return watch;
}

export function watchOf(watches: readonly Watch[], path: string): Watch | undefined {
  return watches.find((watch) => path.startsWith(`${watch.root}/`));
}

async function take(deps: RecovererDeps, ours: { stream: LoadedStream; watch: Watch }[], report: ResumeReport): Promise<void> {
  if (ours.length === 0) return;
  const claims = await deps.claim(ours.map(({ stream }) => stream));
  const taken: { claim: Taken; watch: Watch }[] = [];
  for (const [at, claim] of claims.entries()) {
    const mine = ours[at];
    if (claim.kind === "held") report.held += 1;
    // Completed, gone or unreadable since it was read: the next look says which.
    if (mine && claim.kind === "claimed") taken.push({ claim, watch: mine.watch });
  }
  const parts = await deps.parts(taken.map(({ claim }) => claim.id));
  for (const [at, { claim, watch }] of taken.entries()) {
    const whole = await wholeStream(deps, claim, parts[at] ?? new Map(), watch);
    if (!whole) continue;
    deps.supervisor.resume(whole.record, whole.parts, watch);
    report.resumed += 1;
  }
}

type Taken = ClaimedStream & { kind: "claimed" };

async function wholeStream(deps: RecovererDeps, claim: Taken, parts: Parts, watch: Watch) {
  switch (claim.parsed.kind) {
    case "record":
      return { record: claim.parsed.record, parts: parts.values() };
    case "founding":
      return await deps.fillIn(claim.parsed.founding, parts, watch);
    default:
      return undefined;
  }
}
