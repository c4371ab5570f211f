/**
 * `stream:<id>:meta` ↔ StreamRecord. Every hash gives a typed result: a record, or the reason why it is none. Missing
 * is not empty: an empty key prefix is valid, an absent one is not.
 */
import {
  COMPLETED_BY,
  FAILURE_REASONS,
  FIELD_NAMES,
  FIELDS,
  SCHEMA_VERSION,
  SET_APART,
  SOURCE_STATES,
  VERIFY_MODES,
  displayPath,
  failed,
  isRequired,
  kindOf,
  parsePlan,
  streamId,
  MAX_PARTS,
  type FieldType,
  type FieldValues,
  type RecordPatch,
  type Status,
  type StreamRecord,
} from "@sluice/core";
import { z } from "zod";
import { zodDetail } from "./codec.ts";
import { parseFounding, type FoundingRecord } from "./founding-record.ts";
import { count, digits, named, time } from "./scalars.ts";
import type { RawHash } from "./text.ts";

export type ParsedRecord =
  | { kind: "record"; record: StreamRecord }
  /** A record of an early version: readable, but without what later versions added. */
  | { kind: "founding"; founding: FoundingRecord }
  /** Lacks required fields; `missing` lists them. */
  | { kind: "incomplete"; missing: string[] }
  | { kind: "corrupt"; detail: string }
  /** Written by a newer Sluice: must not be changed. */
  | { kind: "newer"; version: number }
  | { kind: "absent" };

/** Any reason counts as failed: a record of an early version may have one that this version does not know. */
export const status = z
  .string()
  .refine((text) => kindOf(text) !== undefined && /^[a-z0-9_]{1,64}$/.test(text), "is not a known status")
  .transform((text) => text as Status);

/** How a field of each type is parsed. */
const SCHEMAS = {
  path: named.refine((path) => path.startsWith("/"), "is not absolute"),
  name: named,
  text: z.string(),
  count,
  digits,
  time,
  status,
  part_number: count.refine((n) => n >= 1 && n <= MAX_PARTS + 1, "is not a part number"),
  part_plan: z.string().refine((text) => parsePlan(text) !== undefined, "is not a part plan"),
  completed_by: z.enum(COMPLETED_BY),
  verify_mode: z.enum(VERIFY_MODES),
  set_apart: z.enum(SET_APART),
  source_state: z.enum(SOURCE_STATES),
} satisfies { [T in FieldType]: z.ZodType<FieldValues[T]> };

/** Built from core's table of fields, as the record's own type is, so what it accepts is a record. */
const metaSchema = z.object(
  Object.fromEntries(
    FIELD_NAMES.map((name) => {
      const schema: z.ZodType = SCHEMAS[FIELDS[name].type];
      return [name, isRequired(name) ? schema : z.exactOptional(schema)];
    }),
  ),
) as unknown as z.ZodType<Omit<StreamRecord, "id">>;

const REQUIRED = FIELD_NAMES.filter(isRequired);

/** A stream's record, or why it is none: fields that are missing, a wrong one, a newer version. */
export function parseRecord(id: string, hash: RawHash): ParsedRecord {
  if (Object.keys(hash).length === 0) return { kind: "absent" };
  const version = hash["schema_version"];
  if (version === undefined) return parseFounding(id, hash);
  if (/^\d+$/.test(version) && Number(version) > SCHEMA_VERSION)
    return { kind: "newer", version: Number(version) };
  // Fields that later versions added may be missing: they are filled in as for a record of an early version.
  if (REQUIRED.some((field) => hash[field] === undefined)) return parseFounding(id, hash);
  if (hash["status"] === "processing" && !hash["s3_upload_id"])
    return { kind: "incomplete", missing: ["s3_upload_id"] };
  const parsed = metaSchema.safeParse(hash);
  if (!parsed.success) return { kind: "corrupt", detail: zodDetail(parsed.error) };
  return { kind: "record", record: { id: streamId(id), ...parsed.data } };
}

/** Field → text of a whole record; the inverse of `parseRecord`. */
export function recordFields(record: StreamRecord): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [field, value] of Object.entries(record)) {
    if (field !== "id" && value !== undefined) fields[field] = String(value);
  }
  return fields;
}

/** A patch as arguments of HSET and HDEL. */
export function patchFields(patch: RecordPatch): { set: Record<string, string>; remove: string[] } {
  const set: Record<string, string> = {};
  const remove: string[] = [];
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) remove.push(field);
    else if (value !== undefined) set[field] = String(value);
  }
  return { set, remove };
}

/** For `--json` and the browser: field names unchanged, bytes that are not UTF-8 as %XX. */
export function recordToJson(record: StreamRecord): Record<string, string | number> {
  const json: Record<string, string | number> = {};
  for (const [field, value] of Object.entries(record)) {
    if (value !== undefined) json[field] = typeof value === "string" ? displayPath(value) : (value as number);
  }
  return json;
}

/** Every status that this version gives failed streams. */
export const FAILED_STATUSES: readonly Status[] = FAILURE_REASONS.map(failed);
