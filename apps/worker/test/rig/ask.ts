/** Asks the workers as dashboard and command line do, and waits for the answer. */
import { randomUUID } from "node:crypto";
import {
  RequestQueue,
  keysWith,
  type ItemResult,
  type NewRequest,
  type RequestAction,
} from "@sluice/redis-schema";
import type { Rig } from "../rig.ts";
import type { Deadline } from "./until.ts";

export async function ask(rig: Rig, action: RequestAction, item: string): Promise<ItemResult> {
  return await answer(rig, await file(rig, action, [item]), item);
}

/** Files it and does not wait. Returns its id. */
export async function file(
  rig: Rig,
  action: RequestAction,
  items: string[],
  over: Partial<NewRequest> = {},
): Promise<string> {
  const id = randomUUID();
  const filed_at_utc = new Date().toISOString();
  await queueOf(rig).file({ id, action, items, who: "test", filed_at_utc, ...over });
  return id;
}

export async function answer(rig: Rig, id: string, item: string, deadline?: Deadline): Promise<ItemResult> {
  return await rig.until(`${item} of request ${id} is answered`, () => answered(rig, id, item), deadline);
}

/** Undefined: not answered yet. */
export async function answered(rig: Rig, id: string, item: string): Promise<ItemResult | undefined> {
  const request = await queueOf(rig).read(id);
  return request.kind === "ok" ? request.value.results[item] : undefined;
}

function queueOf(rig: Rig): RequestQueue {
  const clock = { wallMs: () => Date.now() };
  return new RequestQueue({ redis: rig.records.redis, keys: keysWith(""), clock });
}
