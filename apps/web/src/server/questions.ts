/**
 * Questions that only a worker can answer, because this process has no S3 credentials. Each is a request, filed once
 * however often the button is pressed, and answered by a worker.
 */
import { randomUUID } from "node:crypto";
import { fileRequest, type Actor, type Ask } from "@sluice/control/run-plan";
import type { RequestAction, RequestRecord } from "@sluice/redis-schema/records/request";
import { TRPCError } from "@trpc/server";
import type { Hub } from "./hub.ts";

export async function ask(
  hub: Hub,
  actor: Actor,
  action: RequestAction,
  items: string[],
  more: Pick<Ask, "options" | "named"> = {},
): Promise<{ id: string }> {
  const id = randomUUID();
  await fileRequest(hub.context, actor, { id, action, items, ...more });
  return { id };
}

export async function answerTo(hub: Hub, id: string): Promise<RequestRecord> {
  const request = await hub.requests.read(id);
  if (request.kind === "ok") return request.value;
  throw new TRPCError({
    code: "NOT_FOUND",
    message: request.kind === "absent" ? "the request does not exist or has expired" : request.detail,
  });
}
