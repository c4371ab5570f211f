/** Asks the workers as dashboard and command line do, and waits for the answer. */
import { randomUUID } from "node:crypto";
import { RequestQueue, keysWith, type ItemResult, type RequestAction } from "@sluice/redis-schema";
import type { Rig } from "../rig.ts";

export async function ask(rig: Rig, action: RequestAction, item: string): Promise<ItemResult> {
  const clock = { wallMs: () => Date.now() };
  const queue = new RequestQueue({ redis: rig.records.redis, keys: keysWith(""), clock });
  const id = randomUUID();
  await queue.file({ id, action, items: [item], who: "test", filed_at_utc: new Date().toISOString() });
  return await rig.until(`${action} of ${item} is answered`, async () => {
    const request = await queue.read(id);
    return request.kind === "ok" && request.value.results[item];
  });
}
