/** While a slot moves from one node of a cluster to another, every command finds its key, old or new. */
import { closeClient, keysWith, Plans, RequestQueue } from "@sluice/redis-schema";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { connect, NOW_UTC } from "./harness.ts";
import { startRedis } from "./redis-server.ts";

const CLUSTER = ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"];

async function on<T>(port: number, question: (node: Redis) => Promise<T>): Promise<T> {
  const node = new Redis({ port });
  try {
    return await question(node);
  } finally {
    node.disconnect();
  }
}

test(
  "D8i: a redirection to the node that a slot moves to is followed, whatever is asked in the same moment",
  { timeout: 60_000 },
  async () => {
    await using from = await startRedis({ args: CLUSTER });
    await using to = await startRedis({ args: CLUSTER });
    await on(from.port, (node) => node.cluster("ADDSLOTSRANGE", 0, 8_191));
    await on(to.port, (node) => node.cluster("ADDSLOTSRANGE", 8_192, 16_383));
    await on(from.port, (node) => node.call("CLUSTER", "MEET", "127.0.0.1", String(to.port)));
    for (const { port } of [from, to]) {
      await expect
        .poll(async () => String(await on(port, (node) => node.cluster("INFO"))), { timeout: 30_000 })
        .toMatch(/cluster_state:ok[^]*cluster_known_nodes:2/);
    }
    const keys = keysWith("{sluice}:");
    const redis = await connect(`redis+cluster://127.0.0.1:${from.port}`);
    try {
      const context = { redis, keys, clock: { wallMs: () => Date.now() } };
      const queue = new RequestQueue(context);
      const request = {
        id: "r1",
        action: "retry" as const,
        items: ["s1"],
        who: "ann",
        filed_at_utc: NOW_UTC,
      };
      await queue.file(request);
      await redis.hset(keys.byPath, "a", "stream");
      const slot = String(await on(from.port, (node) => node.call("CLUSTER", "KEYSLOT", keys.byPath)));
      const [source, target] = await Promise.all(
        [from, to].map(({ port }) => on(port, (node) => node.call("CLUSTER", "MYID"))),
      );
      await on(to.port, (node) => node.call("CLUSTER", "SETSLOT", slot, "IMPORTING", String(source)));
      await on(from.port, (node) => node.call("CLUSTER", "SETSLOT", slot, "MIGRATING", String(target)));
      // Half of the slot: the request is on the new node, the paths are on the old one.
      const moved = [keys.requests, keys.request("r1"), keys.events];
      await on(from.port, (node) =>
        node.call("MIGRATE", "127.0.0.1", String(to.port), "", "0", "5000", "KEYS", ...moved),
      );
      const done = { result: "done" as const, worker: "w1", at_utc: NOW_UTC };
      const answers = await Promise.all([
        redis.hget(keys.byPath, "a"),
        queue.settle(request, "s1", done),
        redis.hset(keys.byPath, "b", "other"),
        new Plans(context).load("none"),
      ]);
      expect(answers).toEqual(["stream", { kind: "settled", allSettled: true }, 1, { kind: "absent" }]);
      expect(await queue.read("r1")).toMatchObject({ kind: "ok", value: { state: "settled" } });
    } finally {
      await closeClient(redis);
    }
  },
);
