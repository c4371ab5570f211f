/**
 * Redis's clock: the only one used for ages and expiries of plans and requests, because the clocks of the programs may
 * differ by any amount.
 */
import type { SchemaContext } from "./context.ts";
import { replyName, replyText } from "./replies.ts";
import { runScript, SCRIPTS } from "./scripts.ts";

/** In ms since 1970. Of the node that holds our keys: on a cluster each node has its own clock. */
export async function redisNowMs({ redis, keys }: Pick<SchemaContext, "redis" | "keys">): Promise<number> {
  const reply = await runScript(redis, SCRIPTS.readClock, [keys.requests], []);
  replyName(reply, ["now"]);
  return Number(replyText(reply, 1));
}
