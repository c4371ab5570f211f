/**
 * One message of the outbox. Its id is made from what it tells: the same change told twice has the same id, by which a
 * receiver knows it again.
 */
import { createHash } from "node:crypto";
import { webhookBody, WEBHOOK_EVENTS, type StreamRecord, type WebhookEvent } from "@sluice/core";
import { z } from "zod";
import { parseWith, type Parsed } from "./records/codec.ts";
import { count, named } from "./records/scalars.ts";
import type { RawHash } from "./records/text.ts";

const messageSchema = z.object({
  id: named,
  event: z.enum(WEBHOOK_EVENTS),
  /** Stream id. */
  subject: named,
  body: named,
  /** ms since 1970. */
  at: count,
});
export type OutboxMessage = z.infer<typeof messageSchema>;

export function parseMessage(hash: RawHash): Parsed<OutboxMessage> {
  return parseWith(messageSchema, hash);
}

/** As the scripts' `tell` takes it. `moment`: which of the stream's changes it is. */
export function messageArgs(
  event: WebhookEvent,
  record: Partial<StreamRecord> & Pick<StreamRecord, "id">,
  moment: string,
  nowMs: number,
): string[] {
  const name = createHash("sha256")
    .update(JSON.stringify([event, record.id, moment]))
    .digest("base64url");
  return [`msg_${name.slice(0, 24)}`, event, webhookBody(event, record, new Date(nowMs).toISOString())];
}
