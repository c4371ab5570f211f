/** `webhooks:results` and `webhooks:dropped`: what became of webhook messages. */
import { z } from "zod";
import { count, named } from "./scalars.ts";

/** `failed`: not accepted, and sent again. `expired`: dropped, because it waited too long. */
export const DELIVERY_RESULTS = ["delivered", "failed", "expired"] as const;
export type DeliveryResult = (typeof DELIVERY_RESULTS)[number];

export const deliverySchema = z.object({
  id: named,
  event: named,
  /** Stream id, or the worker or watch it is about. */
  subject: named,
  result: z.enum(DELIVERY_RESULTS),
  /** Why it was not accepted, in words. */
  detail: z.exactOptional(z.string()),
  /** How often it has been sent without being accepted. */
  failures: count,
  /** ms since 1970. */
  at: count,
});
export type Delivery = z.infer<typeof deliverySchema>;

export const droppedSchema = z.object({
  id: named,
  event: named,
  subject: named,
  body: named,
  /** When it was dropped, ms since 1970. */
  dropped_at: count,
});
export type DroppedMessage = z.infer<typeof droppedSchema>;
