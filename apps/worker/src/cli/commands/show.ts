/** `sluice show`: everything about one stream, why it is not final yet, and what to do if it failed. */
import {
  describeOutlook,
  describeCompletedBy,
  describeWaiting,
  kindOf,
  parseWaiting,
  planRetry,
  uploadAge,
  type StreamRecord,
} from "@sluice/core";
import { failureReason, isPartial, unprotectedBytes, whereBytesAre } from "@sluice/control/stream-row";
import { formatBytes, plural } from "@sluice/control/units";
import { failureWords } from "@sluice/control/words";
import { recordToJson, type StreamDetail } from "@sluice/redis-schema";
import type { Command } from "commander";
import { CliError, EXIT } from "../exit-codes.ts";
import { findStream } from "../find-streams.ts";
import { addJson } from "../options.ts";
import type { Output } from "../output/output.ts";
import { relative } from "../output/table.ts";
import type { CommonFlags } from "../perform.ts";
import { performOnRedis, type Session } from "../session.ts";

const SHOWN_LOG = 20;

export function addShow(program: Command): void {
  const command = program
    .command("show")
    .summary("show one stream")
    .description("Show one stream: its state and why, its object, its file, its timeline.")
    .argument("<id>", "stream id or a prefix of it");
  addJson(command).action(async (id: string, flags: CommonFlags) => {
    await performOnRedis(flags, (session) => show(session, id));
  });
}

async function show({ reader, out }: Session, given: string) {
  const detail = await reader.stream(await findStream(reader, given));
  if (detail.parsed.kind === "absent" && detail.indexes.length === 0)
    throw new CliError(EXIT.failed, `There is no stream ${given}.`);
  if (out.json) out.document(detailToJson(detail));
  else if (detail.parsed.kind === "record") showRecord(out, detail.parsed.record, detail);
  else showRaw(out, detail);
  return EXIT.ok;
}

/** The record's own fields, and next to them what is stored under other keys. */
function detailToJson({ id, parsed, raw, log, partCount, indexes }: StreamDetail) {
  const fields = parsed.kind === "record" ? recordToJson(parsed.record) : raw;
  return { id, ...fields, part_count: partCount, indexes, log };
}

function showRecord(out: Output, record: StreamRecord, { log, partCount }: StreamDetail): void {
  const now = out.nowMs;
  const kind = kindOf(record.status);
  const ago = (iso: string | undefined) => (iso === undefined ? undefined : `${iso} (${relative(iso, now)})`);
  const waiting = parseWaiting(record.waiting_for);
  const unprotected = unprotectedBytes({ ...record, kind });
  const where = whereBytesAre({ ...record, kind });
  const partial = isPartial(record) ? Math.max(0, (record.last_known_size ?? 0) - record.file_size) : 0;
  const amount = (bytes: number) =>
    bytes === 0 ? undefined : ({ text: formatBytes(bytes), style: "yellow" } as const);
  out.pairs([
    ["id", record.id],
    ["path", { text: record.original_path, style: "bold" }],
    ["state", record.status],
    ["waiting for", waiting && describeWaiting(waiting)],
    ["requested", record.requested_action],
    ["source, watch", `${record.source}, ${record.watch}`],
    ["object", record.s3_key === undefined ? undefined : `s3://${record.s3_bucket}/${record.s3_key}`],
    ["upload id", record.s3_upload_id],
    ["store aborts it", abortForecast(record, now)],
    ["file size", formatBytes(record.file_size)],
    [
      "sent",
      partCount === 0
        ? undefined
        : `${formatBytes(record.bytes_sent)} in a contiguous run, ${plural(partCount, "part")}`,
    ],
    ["its file", record.source_state],
    ["only on local disk", amount(where.disk)],
    [
      "not protected",
      unprotected === 0
        ? undefined
        : {
            text: [
              formatBytes(unprotected),
              ...(record.unprotected_since_utc === undefined
                ? []
                : [`the oldest since ${ago(record.unprotected_since_utc)}`]),
            ].join(", "),
            style: "yellow",
          },
    ],
    [
      "protected",
      record.protected_at_utc &&
        `${formatBytes(record.protected_bytes ?? 0)}, ${ago(record.protected_at_utc)}`,
    ],
    ["lost", amount(where.lost + partial)],
    ["not in S3, file not seen", amount(where.unknown)],
    ["only copy, in S3", amount(where.onlyCopy)],
    ["part plan", record.part_plan],
    ["owner", record.owner === undefined ? undefined : `${record.owner}, fence ${record.fence}`],
    ["began", ago(record.started_at_utc)],
    ["last activity", ago(record.last_activity_at_utc)],
    ["failed", ago(record.failed_at_utc)],
    ["completed", ago(record.completed_at_utc)],
    ["complete", record.completed_by && describeCompletedBy(record.completed_by)],
    ["verify", [record.verify_mode, record.verify_result].filter((text) => text !== undefined).join(": ")],
    ["metadata", record.s3_metadata_key],
    ["etag", record.etag],
    ["crc32", record.crc32],
    ["supersedes", record.supersedes],
    ["superseded by", record.superseded_by],
    [
      "tidying failed",
      record.tidy_error === undefined ? undefined : { text: record.tidy_error, style: "yellow" },
    ],
  ]);
  if (kind === "failed") showFailure(out, record);
  showLog(out, log);
}

function abortForecast(record: StreamRecord, nowMs: number) {
  const age = uploadAge(record, nowMs);
  if (!age) return undefined;
  const text = `${age.abortsAt} (${relative(age.abortsAt, nowMs)}): ${describeOutlook(age.outlook)}`;
  return age.outlook === "ample" ? text : { text, style: "yellow" as const };
}

function showFailure(out: Output, record: StreamRecord): void {
  const { cause, remedy } = failureWords(failureReason(record));
  out.line();
  out.pairs([
    ["failed", { text: cause, style: "red" }],
    ["in detail", record.failure_detail],
    ["what to do", remedy],
    ["a retry", record.superseded_by === undefined ? planRetry(record).words : undefined],
  ]);
}

function showLog(out: Output, log: StreamDetail["log"]): void {
  if (log.length === 0) return;
  out.line();
  out.table(
    [
      { title: "when", cell: (entry) => ("at_utc" in entry ? relative(entry.at_utc, out.nowMs) : "-") },
      { title: "what happened", cell: (entry) => entry.text },
    ],
    log.slice(0, SHOWN_LOG),
  );
  if (log.length > SHOWN_LOG) out.note(`… and ${log.length - SHOWN_LOG} earlier entries (--json shows all).`);
}

/** Shows a record that cannot be parsed as stored, and the reason. */
function showRaw(out: Output, { id, parsed, raw, log }: StreamDetail): void {
  out.pairs([["id", id], ["record", { text: whatIsWrong(parsed), style: "red" }], ...Object.entries(raw)]);
  showLog(out, log);
}

function whatIsWrong(parsed: StreamDetail["parsed"]): string {
  switch (parsed.kind) {
    case "record":
      return "readable";
    case "founding":
      return "from an early version: a worker completes it when it takes it over";
    case "incomplete":
      return `incomplete: ${parsed.missing.join(", ")} missing`;
    case "corrupt":
      return `cannot be read: ${parsed.detail}`;
    case "newer":
      return `written by a newer Sluice (record version ${parsed.version})`;
    case "absent":
      return "missing: only an index still lists it";
  }
}
