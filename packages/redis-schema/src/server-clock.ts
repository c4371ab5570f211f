/**
 * Redis's clock: the only one by which ages and expiries of plans and requests are told, since whoever asks and whoever
 * acts may disagree about the time by any amount.
 */
import type { SchemaContext } from "./context.ts";
import { replyName, replyText } from "./replies.ts";
import { runScript, SCRIPTS } from "./scripts.ts";

/** ms since 1970. Of the node that holds our keys: on a cluster each node has a clock of its own. */
export async function redisNowMs({ redis, keys }: Pick<SchemaContext, "redis" | "keys">): Promise<number> {
  const reply = await runScript(redis, SCRIPTS.readClock, [keys.requests], []);
  replyName(reply, ["now"]);
  return Number(replyText(reply, 1));
}
