/** Streams as programs of users read them, against the schema that the documentation gives them. */
import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

const schema = JSON.parse(
  readFileSync(new URL("../../../docs/reference/stream.schema.json", import.meta.url), "utf8"),
) as object;
const ajv = new Ajv2020({ allErrors: true });
const isStream = ajv.compile(schema);
const isPartOfStream = ajv.compile({ ...schema, $id: "part", required: [] });

/** Where this is no stream, in words; none if it is one. */
export function breachesOfStream(document: unknown): string[] {
  return breaches(isStream, document);
}

/** The same for what has some of a stream's fields: messages of webhooks. */
export function breachesOfSomeFields(document: unknown): string[] {
  return breaches(isPartOfStream, document);
}

function breaches(isValid: ValidateFunction, document: unknown): string[] {
  if (isValid(document)) return [];
  return (isValid.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
