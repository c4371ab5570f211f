/**
 * Questions only a worker can answer, since this process holds no S3 credentials: each is a request, asked once however
 * often the button is pressed, answered when a worker comes to it.
 */
import { randomUUID } from "node:crypto";
import type { RequestAction, RequestRecord } from "@sluice/redis-schema/records/request";
import { redisNowMs } from "@sluice/redis-schema/server-clock";
import { TRPCError } from "@trpc/server";
import type { Actor } from "./actions/run-plan.ts";
import type { Hub } from "./hub.ts";

export async function ask(
  hub: Hub,
  actor: Actor,
  action: RequestAction,
  items: string[],
  options?: NonNullable<RequestRecord["options"]>,
): Promise<{ id: string }> {
  const id = randomUUID();
  const filed_at_utc = new Date(await redisNowMs(hub.context)).toISOString();
  await hub.requests.file({
    id,
    action,
    items,
    who: actor.who,
    from: actor.from,
    filed_at_utc,
    ...(options === undefined ? {} : { options }),
  });
  return { id };
}

export async function answerTo(hub: Hub, id: string): Promise<RequestRecord> {
  const request = await hub.requests.read(id);
  if (request.kind === "ok") return request.value;
  throw new TRPCError({
    code: "NOT_FOUND",
    message: request.kind === "absent" ? "no such request (any more)" : request.detail,
  });
}
