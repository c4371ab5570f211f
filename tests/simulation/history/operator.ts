/** What an operator asks of the workers from dashboard or command line: through the same queue, for streams as they are then. */
import { keysWith, RequestQueue } from "@sluice/redis-schema";
import { connect } from "../redis/client.ts";
import { SimulatedProcess } from "../world/process.ts";
import type { World } from "../world/world.ts";
import type { Action } from "./plan.ts";

const LISTS = {
  finalize: "active",
  list_parts: "active",
  retry: "failed",
  verify: "completed",
  scan_orphans: undefined,
} as const;

export function ask(world: World, { action, seed }: Extract<Action, { kind: "ask" }>): void {
  const { redis, timeline, random } = world;
  const list = LISTS[action];
  const found = list === undefined ? ["*"] : redis.database.execute(["ZRANGE", `streams:${list}`, "0", "-1"]);
  const items = Array.isArray(found) ? found.filter((id) => typeof id === "string") : [];
  if (items.length === 0) return;
  const operator = new SimulatedProcess({
    name: "operator",
    pid: 2,
    timeline,
    random: random.fork(`operator ${seed}`),
  });
  const { clock } = operator;
  const context = { redis: connect(redis, operator), keys: keysWith(""), clock };
  const filed_at_utc = new Date(clock.wallMs()).toISOString();
  operator
    .run(() =>
      new RequestQueue(context).file({ id: `request-${seed}`, action, items, who: "operator", filed_at_utc }),
    )
    // Redis may be away: whoever asks asks again, or not.
    .catch((error: unknown) => world.say(`operator: ${String(error)}`));
}
