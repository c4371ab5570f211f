/** The webhooks: what waits, the last results, and what was dropped, which an operator may have sent again. */
import { Outbox } from "@sluice/redis-schema/outbox";
import type { Delivery, DroppedMessage } from "@sluice/redis-schema/records/delivery";
import type { Actor } from "@sluice/control/run-plan";
import { TRPCError } from "@trpc/server";
import type { Hub } from "./hub.ts";

export interface WebhookPage {
  waiting: number;
  /** The oldest of them. */
  oldest: { id: string; event: string; subject: string; at: number }[];
  /** Newest first. */
  results: Delivery[];
  dropped: (Omit<DroppedMessage, "body"> & { position: string })[];
}

const SHOWN = 50;

export async function webhookPage(hub: Hub): Promise<WebhookPage> {
  // Only read.
  const outbox = new Outbox(hub.context, { workerId: "dashboard", nonce: "" });
  const [waiting, page, results, dropped] = await Promise.all([
    outbox.waiting(),
    outbox.page(SHOWN),
    hub.deliveries.results(SHOWN),
    hub.deliveries.dropped(SHOWN),
  ]);
  return {
    waiting,
    oldest: page.flatMap(({ message }) => {
      if (message === undefined) return [];
      const { id, event, subject, at } = message;
      return [{ id, event, subject, at }];
    }),
    results,
    dropped,
  };
}

/** Back into the outbox; it is sent with its old id. */
export async function retryWebhook(hub: Hub, actor: Actor, position: string): Promise<{ id: string }> {
  const id = await hub.deliveries.retry(position);
  if (id === undefined)
    throw new TRPCError({ code: "NOT_FOUND", message: "the message is no longer among the dropped ones" });
  await hub.audit.append({ ...actor, action: "retry webhook", ids: [id], result: "waits for delivery" });
  return { id };
}
