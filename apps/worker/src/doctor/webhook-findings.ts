/** Whether the webhook's receiver accepts a signed message now. */
import { randomUUID } from "node:crypto";
import type { Config } from "@sluice/config";
import { redacted } from "@sluice/config";
import type { Answer } from "@sluice/webhooks/deliverer";
import { post, receiverOf } from "@sluice/webhooks/post";
import { VERSION } from "../version.ts";
import { finding, ok, type Finding } from "./finding.ts";

/** Sends a message of the type `ping`, which belongs to no stream. */
export async function checkWebhook(config: Config): Promise<Finding[]> {
  const receiver = receiverOf(config, VERSION);
  if (!receiver) return [];
  const timestamp = new Date().toISOString();
  const ping = {
    id: `msg_ping_${randomUUID()}`,
    body: JSON.stringify({ type: "ping", timestamp, data: {} }),
  };
  return [webhookFinding(redacted(receiver.url), await post(receiver, ping, new AbortController().signal))];
}

export function webhookFinding(url: string, answer: Answer): Finding {
  const who = `The webhook's receiver at ${url}`;
  if (answer.kind === "accepted") return ok("webhook.accepted", `${who} accepted a signed ping.`);
  const kept = "Messages are stored and retried for SLUICE_WEBHOOK_MAX_AGE; uploads do not wait for them.";
  if (answer.reason.startsWith("status_")) {
    const remedy = `It must answer 2xx when the signature is valid (docs/reference/webhooks.md). ${kept}`;
    return finding(
      "webhook.refused",
      "warning",
      `${who} does not accept messages: ${answer.detail}.`,
      remedy,
    );
  }
  const remedy = `Check the address and that this machine can connect to it. ${kept}`;
  return finding("webhook.unanswered", "warning", `${who} does not answer: ${answer.detail}.`, remedy);
}
