/**
 * A message of the outbox. Its id is derived from its content: the same change reported twice has the same id, so
 * receivers can recognize duplicates.
 */
import { createHash } from "node:crypto";
import {
  webhookBody,
  WEBHOOK_EVENTS,
  workerBody,
  type StreamEvent,
  type StreamRecord,
  type WorkerEvent,
} from "@sluice/core";
import { z } from "zod";
import { parseWith, type Parsed } from "./records/codec.ts";
import { count, named } from "./records/scalars.ts";
import type { RawHash } from "./records/text.ts";

const messageSchema = z.object({
  id: named,
  event: z.enum(WEBHOOK_EVENTS),
  /** Stream id, or the worker or watch it is about. */
  subject: named,
  body: named,
  /** In ms since 1970. */
  at: count,
});
export type OutboxMessage = z.infer<typeof messageSchema>;

export function parseMessage(hash: RawHash): Parsed<OutboxMessage> {
  return parseWith(messageSchema, hash);
}

/** In the form in which scripts take a message. `moment`: identifies the change among those of the stream. */
export function messageArgs(
  event: StreamEvent,
  record: Partial<StreamRecord> & Pick<StreamRecord, "id">,
  moment: string,
  nowMs: number,
): string[] {
  return [
    messageId(event, record.id, moment),
    event,
    webhookBody(event, record, new Date(nowMs).toISOString()),
  ];
}

export interface WorkerMessage {
  event: WorkerEvent;
  subject: string;
  data: Readonly<Record<string, string>>;
}

export function workerMessageArgs({ event, subject, data }: WorkerMessage, nowMs: number): string[] {
  const at = new Date(nowMs).toISOString();
  return [messageId(event, subject, data["since"] ?? at), event, workerBody(event, data, at)];
}

function messageId(event: string, subject: string, moment: string): string {
  const name = createHash("sha256")
    .update(JSON.stringify([event, subject, moment]))
    .digest("base64url");
  return `msg_${name.slice(0, 24)}`;
}
