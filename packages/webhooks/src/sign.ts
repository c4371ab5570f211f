/** A message as it is sent: signed according to the Standard Webhooks convention, so that its libraries verify it. */
import { createHmac } from "node:crypto";
import type { Message } from "./deliverer.ts";

/** The decoded bytes of `whsec_…`. */
export function keyOf(secret: string): Buffer {
  return Buffer.from(secret.replace(/^whsec_/, ""), "base64");
}

/** `nowMs`: of this attempt; receivers refuse old messages, so that nobody can replay one. `version`: of the sender. */
export function signedHeaders(
  message: Message,
  key: Buffer,
  nowMs: number,
  version: string,
): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const signed = `${message.id}.${timestamp}.${message.body}`;
  return {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(message.body)),
    "user-agent": `sluice/${version}`,
    "webhook-id": message.id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${createHmac("sha256", key).update(signed).digest("base64")}`,
  };
}
