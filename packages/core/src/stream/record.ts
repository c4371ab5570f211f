/**
 * What Sluice knows about one stream. Field names are the same from Redis to the browser, so that a name seen in
 * redis-cli, in `--json`, in a log line or in the code always means the same.
 */
import type { FieldName, FIELDS, RequiredField } from "./fields.ts";
import type { SetApart } from "./set-apart.ts";
import type { SourceState } from "./source-state.ts";
import type { Status } from "./state.ts";
import type { StreamId } from "./values.ts";

export const COMPLETED_BY = ["idle", "marker", "rename", "finalize", "term", "salvage"] as const;
export type CompletedBy = (typeof COMPLETED_BY)[number];
export const VERIFY_MODES = ["full", "edges", "off"] as const;
export type VerifyMode = (typeof VERIFY_MODES)[number];

/** Version of the record's shape; records of early versions have none. */
export const SCHEMA_VERSION = 1;

/** The value of a field of each type. */
export interface FieldValues {
  path: string;
  name: string;
  text: string;
  count: number;
  digits: string;
  time: string;
  status: Status;
  part_number: number;
  part_plan: string;
  completed_by: CompletedBy;
  verify_mode: VerifyMode;
  set_apart: SetApart;
  source_state: SourceState;
}

type Value<K extends FieldName> = FieldValues[(typeof FIELDS)[K]["type"]];

type RequiredFields = { [K in RequiredField]: Value<K> };
type OptionalFields = { [K in Exclude<FieldName, RequiredField>]?: Value<K> };

/** Its fields are those of the table in fields.ts. */
export interface StreamRecord extends RequiredFields, OptionalFields {
  /** Not a field of the hash: it is part of its key. */
  readonly id: StreamId;
}

/** Fields to set; `null` removes the field. */
export type RecordPatch = {
  [K in Exclude<keyof StreamRecord, "id" | "fence" | "revision" | "owner">]?: StreamRecord[K] | null;
};

/** One acknowledged part: the value of a field of `stream:<id>:parts`. */
export interface Part {
  PartNumber: number;
  ETag: string;
  Size: number;
  Offset: number;
  /** Base64 of the big-endian CRC32 of the bytes sent. Absent in records of early versions. */
  ChecksumCRC32?: string;
  UploadedAt?: string;
  Attempts?: number;
  DurationMs?: number;
  /** Copied from an earlier object inside the store, not sent. */
  Copied?: true;
}

/** Parts by number. */
export type Parts = ReadonlyMap<number, Part>;

/** The record after a patch; neither argument is changed. */
export function patched(record: StreamRecord, patch: RecordPatch): StreamRecord {
  const next: Record<string, unknown> = { ...record };
  for (const [field, value] of Object.entries(patch)) {
    if (value === null || value === undefined) delete next[field];
    else next[field] = value;
  }
  // The patch's type admits only the record's own fields, so the result keeps its shape.
  return next as unknown as StreamRecord;
}
