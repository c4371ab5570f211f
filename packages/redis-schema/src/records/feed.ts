/** Entries of `events`, `audit` and of a stream's timeline. */
import { z } from "zod";
import { parseJson, parseWith, type Parsed } from "./codec.ts";
import { count, jsonField, named, time } from "./scalars.ts";
import type { RawHash } from "./text.ts";

const eventSchema = z.object({
  type: z.enum(["opened", "progress", "state", "log", "removed", "worker", "request"]),
  /** Stream id, worker id or request id, by type. */
  subject: named,
  /** The stream's status after the change. */
  status: z.exactOptional(z.string()),
  detail: z.exactOptional(z.string()),
  worker: z.exactOptional(z.string()),
  at: count,
});

/** `at`: ms since 1970. */
export type FeedEntry = z.infer<typeof eventSchema>;

/** One entry of the event feed; `corrupt` if a field is missing or wrong. */
export function parseFeedEntry(hash: RawHash): Parsed<FeedEntry> {
  return parseWith(eventSchema, hash);
}

/** What was known of one item when the action was taken: the item itself may be gone by the time this is read. */
const auditItemSchema = z.object({
  id: z.string(),
  /** Path of the file. */
  name: z.exactOptional(z.string()),
  key: z.exactOptional(z.string()),
  /** The bytes that the action is about, as its plan counts them. */
  bytes: z.exactOptional(z.number()),
  parts: z.exactOptional(z.number()),
  result: z.exactOptional(z.string()),
  detail: z.exactOptional(z.string()),
});
export type AuditItem = z.infer<typeof auditItemSchema>;

const auditSchema = z.object({
  who: z.string(),
  from: z.exactOptional(z.string()),
  action: named,
  ids: jsonField(z.array(z.string())),
  /** The first of them, by name. */
  items: z.exactOptional(jsonField(z.array(auditItemSchema))),
  reason: z.exactOptional(z.string()),
  result: z.string(),
  /** Token of the plan that was carried out: its results, item by item, are kept under it for a day. */
  plan: z.exactOptional(named),
  at_utc: time,
});
export type AuditEntry = z.infer<typeof auditSchema>;

/** One entry of the audit log; `corrupt` if a field is missing or wrong. */
export function parseAudit(hash: RawHash): Parsed<AuditEntry> {
  return parseWith(auditSchema, hash);
}

/** An entry of the audit log as Redis holds it; what is undefined is not written. */
export function auditFields(entry: AuditEntry): Record<string, string | undefined> {
  const { ids, items, ...plain } = entry;
  return {
    ...plain,
    ids: JSON.stringify(ids),
    items: items === undefined ? undefined : JSON.stringify(items),
  };
}

const logSchema = z.object({ at_utc: time, text: z.string(), worker: z.exactOptional(z.string()) });
/** One line of a stream's timeline. */
export type LogEntry = z.infer<typeof logSchema>;

/** An early version wrote plain text, which is shown as it is. */
export function parseLog(text: string): LogEntry | { text: string } {
  const parsed = parseJson(logSchema, text);
  return parsed.kind === "ok" ? parsed.value : { text };
}
