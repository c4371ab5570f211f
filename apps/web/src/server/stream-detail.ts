/** One stream, read straight from Redis, so that its page is never out of date. */
import { metadataDocument, type MetadataDocument } from "@sluice/core/object/metadata";
import { parsePlan } from "@sluice/core/stream/part-plan";
import type { Part } from "@sluice/core/stream/record";
import { kindOf, type Index } from "@sluice/core/stream/state";
import { parseWaiting, type Waiting } from "@sluice/core/stream/waiting";
import type { LogEntry } from "@sluice/redis-schema/records/feed";
import { recordToJson } from "@sluice/redis-schema/records/stream-record";
import { TRPCError } from "@trpc/server";
import { partMap, type PartMap } from "../parts/part-map.ts";
import { sourcesAlive } from "@sluice/control/choose";
import { endOf, retentionOf, type EndingUpload } from "@sluice/control/ending-uploads";
import { objectNames, type ObjectNames } from "@sluice/control/object-address";
import type { StreamRow } from "@sluice/control/stream-row";
import type { WorkerListing } from "@sluice/redis-schema/worker-registry";
import type { Hub } from "./hub.ts";

export interface StreamPage {
  row: StreamRow;
  /** The record as stored, field by field. */
  raw: Record<string, string>;
  /** Why it is not a usable record, in words. */
  trouble?: string;
  record?: Record<string, string | number>;
  waiting?: Waiting;
  log: (LogEntry | { text: string })[];
  part_count: number;
  indexes: Index[];
  /** A worker of its source has a lease. */
  source_alive: boolean;
  /** When its upload, an only copy, ends; absent if nothing that is known ends it. */
  ends?: Pick<EndingUpload, "endsAt" | "by">;
  /** What others know its object by; absent until it exists. */
  object?: ObjectNames;
  /** SLUICE_STALL_AFTER. */
  stall_after_ms: number;
}

export async function streamDetail(hub: Hub, id: string): Promise<StreamPage> {
  const [detail, [row], alive] = await Promise.all([
    hub.reader.stream(id),
    hub.reader.rows([id]),
    sourcesAlive(hub.context),
  ]);
  if (row === undefined && detail.indexes.length === 0) {
    throw new TRPCError({ code: "NOT_FOUND", message: "no stream has this id" });
  }
  const shown = row ?? { id, status: "", kind: undefined };
  const trouble = troubleOf(detail.parsed);
  const workers = await hub.workersNow();
  const end = endOf(shown, retentionOf(workers), Date.now());
  const object = objectNames(shown, addressBase(workers, shown), hub.settings.consoleUrl);
  const waiting = parseWaiting(shown.waiting_for);
  return {
    row: shown,
    raw: { ...detail.raw },
    log: detail.log,
    part_count: detail.partCount,
    indexes: detail.indexes,
    source_alive: alive(shown).sourceAlive,
    stall_after_ms: hub.settings.stallAfterMs,
    ...(end === undefined ? {} : { ends: { endsAt: end.endsAt, by: end.by } }),
    ...(object === undefined ? {} : { object }),
    ...(trouble === undefined ? {} : { trouble }),
    ...(waiting === undefined ? {} : { waiting }),
    ...(detail.parsed.kind === "record" ? { record: recordToJson(detail.parsed.record) } : {}),
  };
}

/** As a worker of its source says, or said; a worker of another source may reach the store by another address. */
function addressBase(
  workers: readonly WorkerListing[],
  { source, s3_bucket }: Pick<StreamRow, "source" | "s3_bucket">,
): string | undefined {
  const said = workers.flatMap(({ lease }) =>
    lease.kind === "ok"
      ? [lease.value]
      : lease.kind === "gone" && lease.last !== undefined
        ? [lease.last]
        : [],
  );
  return said.find(
    (one) => one.source === source && one.s3_bucket === s3_bucket && one.s3_address !== undefined,
  )?.s3_address;
}

type Parsed = Awaited<ReturnType<Hub["reader"]["stream"]>>["parsed"];

function troubleOf(parsed: Parsed): string | undefined {
  switch (parsed.kind) {
    case "record":
      return undefined;
    case "founding":
      return "a record of an early version: a worker completes it when it resumes the stream";
    case "incomplete":
      return `the record lacks ${parsed.missing.join(", ")}`;
    case "corrupt":
      return `the record cannot be read: ${parsed.detail}`;
    case "newer":
      return `the record was written by a newer Sluice (schema version ${parsed.version})`;
    case "absent":
      return "an index lists this id, but its record does not exist";
  }
}

export interface PartMapPage {
  map: PartMap;
  part_plan?: string;
  file_size: number;
  /** Parts that are stored but cannot be parsed. */
  bad: number;
}

export async function partMapOf(hub: Hub, id: string): Promise<PartMapPage> {
  const [[row], { parts, bad }] = await Promise.all([hub.reader.rows([id]), hub.reader.parts(id)]);
  if (row === undefined) throw new TRPCError({ code: "NOT_FOUND", message: "no stream has this id" });
  const acknowledged = [...parts.values()];
  const bytes = acknowledged.reduce((sum, part) => sum + part.Size, 0);
  const kind = kindOf(row.status);
  const waiting = parseWaiting(row.waiting_for);
  const fileSize = Math.max(row.file_size ?? 0, kind === "failed" ? 0 : bytes);
  return {
    map: partMap({
      plan: row.part_plan === undefined ? undefined : parsePlan(row.part_plan),
      fileSize,
      parts: acknowledged,
      inFlight: waiting?.for === "parts" && row.owner !== undefined ? (waiting.numbers ?? waiting.count) : 0,
      stored: kind === "completed" || kind === "s3_completed",
    }),
    file_size: fileSize,
    bad: bad.length,
    ...(row.part_plan === undefined ? {} : { part_plan: row.part_plan }),
  };
}

/** The metadata document as the worker writes it next to the object, made from the same record by the same code. */
export async function metadataOf(hub: Hub, id: string): Promise<MetadataDocument> {
  const [{ parsed }, { parts }] = await Promise.all([hub.reader.stream(id), hub.reader.parts(id)]);
  if (parsed.kind === "record") return metadataDocument(parsed.record, parts);
  throw new TRPCError({
    code: "PRECONDITION_FAILED",
    message: "the record lacks fields that a metadata document needs",
  });
}

export interface PartPage {
  parts: Part[];
}

/** Acknowledged parts in a range of numbers, both ends included. */
export async function partPage(hub: Hub, id: string, from: number, to: number): Promise<PartPage> {
  const range = { from, to: Math.min(to, from + MAX_PARTS_ASKED - 1) };
  const asked = await hub.reader.parts(id, range);
  // Offsets of parts of an early version follow only from the parts before them.
  const { parts } = asked.bad.length === 0 ? asked : await hub.reader.parts(id);
  const inRange = [...parts.values()].filter(
    (part) => range.from <= part.PartNumber && part.PartNumber <= range.to,
  );
  return { parts: inRange.sort((a, b) => a.PartNumber - b.PartNumber) };
}

const MAX_PARTS_ASKED = 500;
