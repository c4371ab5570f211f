/**
 * The JSON Schema of a stream as `sluice show --json` and `sluice export` give it, made from core's table of fields:
 * docs/reference/stream.schema.json.
 */
import {
  COMPLETED_BY,
  FIELD_NAMES,
  FIELDS,
  isRequired,
  KINDS,
  MAX_PARTS,
  SET_APART,
  SOURCE_STATES,
  VERIFY_MODES,
  type FieldType,
} from "@sluice/core";

const FAILED_STATUS = "^failed_[a-z0-9_]+$";

/** How a field of each type is written as JSON. */
const TYPES: Readonly<Record<FieldType, object>> = {
  path: { type: "string", pattern: "^/", description: "Bytes that are not UTF-8 are written as %XX." },
  name: { type: "string", minLength: 1 },
  text: { type: "string" },
  count: { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
  digits: { type: "string", pattern: "^-?\\d{1,24}$" },
  time: { type: "string", pattern: "^\\d{4}-\\d{2}-\\d{2}T[\\d:.]+Z$" },
  status: {
    anyOf: [
      { enum: KINDS.filter((kind) => kind !== "failed") },
      { type: "string", pattern: FAILED_STATUS, description: "`failed_` and the reason." },
    ],
  },
  part_number: { type: "integer", minimum: 1, maximum: MAX_PARTS + 1 },
  part_plan: { type: "string", minLength: 1 },
  completed_by: { enum: COMPLETED_BY },
  verify_mode: { enum: VERIFY_MODES },
  set_apart: { enum: SET_APART },
  source_state: { enum: SOURCE_STATES },
};

/** JSON Schema 2020-12. Which fields there are beside the record's own depends on the command: others are allowed. */
export function streamSchema(): object {
  const fields = FIELD_NAMES.map((name) => {
    const { type, doc } = FIELDS[name];
    const own = TYPES[type];
    const description = "description" in own ? `${doc} ${String(own.description)}` : doc;
    return [name, { ...own, description }] as const;
  });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: "stream.schema.json",
    title: "Sluice stream",
    description:
      "One file on its way into one object: the record `stream:<id>:meta`, as `sluice show --json` and `sluice export` give it; webhooks about streams have some of its fields. A record of an early version may lack required fields.",
    type: "object",
    required: ["id", ...FIELD_NAMES.filter(isRequired)],
    properties: {
      id: { type: "string", minLength: 1, description: "ULID in the order in which streams were found." },
      ...Object.fromEntries(fields),
    },
  };
}
