/** A parse result is a value: a record that cannot be parsed never stops the others. */
import type { z } from "zod";

export type Parsed<T> = { kind: "ok"; value: T } | { kind: "corrupt"; detail: string };

/** Which fields are wrong and how, in one line. Without the values, because a record may contain paths and names. */
export function zodDetail(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join(".") || "value"}: ${issue.message}`).join("; ");
}

/** The value as the schema describes it; otherwise `corrupt`, with the first thing that is wrong. */
export function parseWith<T>(schema: z.ZodType<T>, value: unknown): Parsed<T> {
  const result = schema.safeParse(value);
  if (result.success) return { kind: "ok", value: result.data };
  return { kind: "corrupt", detail: zodDetail(result.error) };
}

/** As `parseWith`, of JSON text. */
export function parseJson<T>(schema: z.ZodType<T>, text: string): Parsed<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "corrupt", detail: "not JSON" };
  }
  return parseWith(schema, value);
}
