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

export function parseFeedEntry(hash: RawHash): Parsed<FeedEntry> {
  return parseWith(eventSchema, hash);
}

const auditSchema = z.object({
  who: z.string(),
  from: z.exactOptional(z.string()),
  action: named,
  ids: jsonField(z.array(z.string())),
  reason: z.exactOptional(z.string()),
  result: z.string(),
  /** Token of the plan that was carried out: its results, item by item, are kept under it for a day. */
  plan: z.exactOptional(named),
  at_utc: time,
});
export type AuditEntry = z.infer<typeof auditSchema>;

export function parseAudit(hash: RawHash): Parsed<AuditEntry> {
  return parseWith(auditSchema, hash);
}

export function auditFields(entry: AuditEntry): Record<string, string | undefined> {
  return { ...entry, ids: JSON.stringify(entry.ids) };
}

const logSchema = z.object({ at_utc: time, text: z.string(), worker: z.exactOptional(z.string()) });
/** One line of a stream's timeline. */
export type LogEntry = z.infer<typeof logSchema>;

/** An early version wrote plain text, which is shown as it is. */
export function parseLog(text: string): LogEntry | { text: string } {
  const parsed = parseJson(logSchema, text);
  return parsed.kind === "ok" ? parsed.value : { text };
}
