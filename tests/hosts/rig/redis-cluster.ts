/** A real Redis Cluster on loopback: three primaries with a third of the slots each, and a replica for one of them. */
import { Redis } from "ioredis";
import { until } from "../../../apps/worker/test/rig/until.ts";
import { startRedis, type TestRedis } from "../../../packages/redis-schema/test/redis-server.ts";

const SLOTS = 16_384;
const NODE_TIMEOUT_MS = 2_000;

export interface RedisCluster extends AsyncDisposable {
  readonly url: string;
  readonly primaries: readonly TestRedis[];
  /** The node whose slots hold this key. */
  primaryOf(key: string): Promise<TestRedis>;
  /** Gives a primary a replica that has all it has. */
  replicate(primary: TestRedis): Promise<TestRedis>;
}

export async function startRedisCluster(): Promise<RedisCluster> {
  const args = [
    ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"],
    ["--cluster-node-timeout", String(NODE_TIMEOUT_MS)],
  ].flat();
  const launch = () => startRedis({ appendonly: true, args });
  const primaries = await Promise.all([launch(), launch(), launch()]);
  const nodes = [...primaries];
  for (const [at, { port }] of primaries.entries()) {
    const from = Math.floor((SLOTS / primaries.length) * at);
    const to = Math.floor((SLOTS / primaries.length) * (at + 1)) - 1;
    await ask(port, (node) => node.cluster("ADDSLOTSRANGE", from, to));
  }
  const [first] = primaries;
  if (!first) throw new Error("no node");
  const meet = (port: number) =>
    ask(first.port, (node) => node.call("CLUSTER", "MEET", "127.0.0.1", String(port)));
  for (const { port } of primaries.slice(1)) await meet(port);
  const whole = async (port: number) => {
    const info = await ask(port, (node) => node.cluster("INFO"));
    return info.includes("cluster_state:ok") && info.includes(`cluster_known_nodes:${nodes.length}`);
  };
  await until("every node knows the cluster", async () =>
    (await Promise.all(nodes.map(({ port }) => whole(port)))).every(Boolean),
  );
  return {
    url: `redis+cluster://${primaries.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    primaries,
    async primaryOf(key) {
      const slot = Number(await ask(first.port, (node) => node.call("CLUSTER", "KEYSLOT", key)));
      const found = primaries[Math.floor((slot * primaries.length) / SLOTS)];
      if (!found) throw new Error(`no node has slot ${slot}`);
      return found;
    },
    async replicate(primary) {
      const replica = await launch();
      nodes.push(replica);
      await meet(replica.port);
      await until("the replica knows the cluster", () => whole(replica.port));
      const id = await ask(primary.port, (node) => node.call("CLUSTER", "MYID"));
      await ask(replica.port, (node) => node.call("CLUSTER", "REPLICATE", String(id)));
      await until("the replica has caught up", async () =>
        (await ask(replica.port, (node) => node.info("replication"))).includes("master_link_status:up"),
      );
      return replica;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

/** Connection attempts for one question, some 10 s: a server that was only just started may not listen yet. */
const ATTEMPTS = 20;

/** One question to one node, over a connection of its own. */
export async function ask<T>(port: number, question: (node: Redis) => Promise<T>): Promise<T> {
  const node = new Redis({ host: "127.0.0.1", port, maxRetriesPerRequest: ATTEMPTS });
  node.on("error", () => undefined);
  try {
    return await question(node);
  } finally {
    node.disconnect();
  }
}
