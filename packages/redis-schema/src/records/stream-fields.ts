/**
 * Every field of `stream:<id>:meta` for the page about keys: core's table, and the fields that only the scripts use.
 */
import { FIELD_NAMES, FIELDS, WRITERS, type FieldName } from "@sluice/core";

export type MetaField = FieldName | "write_token";

const WRITE_TOKEN =
  "Identifies the last command that changed the record, so that the same command sent twice changes nothing.";

/** In the order of the documentation. */
export const META_FIELDS: readonly MetaField[] = [...FIELD_NAMES, "write_token"];

/** What a field means and who writes it, for the page of keys. */
export function describeField(name: MetaField): { meaning: string; writer: string } {
  if (name === "write_token") return { meaning: WRITE_TOKEN, writer: WRITERS.script };
  return { meaning: FIELDS[name].doc, writer: WRITERS[FIELDS[name].by] };
}
