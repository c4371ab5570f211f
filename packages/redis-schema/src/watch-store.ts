/** Which directory each watch's root was when it was last seen, and whether it exists. */
import type { SchemaContext } from "./context.ts";
import type { Parsed } from "./records/codec.ts";
import { parseWatch, type WatchRecord } from "./records/watch.ts";
import { fromBuffers, toFlatArgs } from "./records/text.ts";
import { callRedis, callTransaction } from "./replies.ts";

const OPTIONAL = ["root_inode", "root_birthtime_ns", "state_detail"] as const satisfies (keyof WatchRecord)[];

export class WatchStore {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  async load(source: string, name: string): Promise<Parsed<WatchRecord> | { kind: "absent" }> {
    const { redis, keys } = this.#context;
    const hash = await callRedis("read a watch", () => redis.hgetallBuffer(keys.watch(source, name)));
    return parseWatch(fromBuffers(hash));
  }

  /** Replaces the record: an optional field that is absent is removed. */
  async save(watch: WatchRecord): Promise<void> {
    const { redis, keys } = this.#context;
    const key = keys.watch(watch.source, watch.name);
    const gone = OPTIONAL.filter((field) => watch[field] === undefined);
    const commands = redis.multi().hset(key, ...toFlatArgs(watch));
    await callTransaction("record a watch", gone.length > 0 ? commands.hdel(key, ...gone) : commands);
  }

  /** For the dashboard: the watches that the workers report, in one round trip. */
  async loadMany(watches: readonly { source: string; name: string }[]): Promise<(WatchRecord | undefined)[]> {
    const parsed = await Promise.all(watches.map(({ source, name }) => this.load(source, name)));
    return parsed.map((watch) => (watch.kind === "ok" ? watch.value : undefined));
  }
}
