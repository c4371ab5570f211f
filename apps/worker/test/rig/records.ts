/** Redis as any other program sees it: the wire contract's keys, spelled out, over a connection of its own. */
import { decodePath, encodePath } from "@sluice/core";
import { Redis } from "ioredis";

export type Hash = Readonly<Record<string, string>>;

export interface StreamSeen extends Hash {
  id: string;
  status: string;
  original_path: string;
}

export const INDEXES = [
  "streams:active",
  "streams:pending_completion",
  "streams:failed",
  "streams:completed",
] as const;

export class Records implements Disposable {
  readonly redis: Redis;
  readonly #source: string;

  constructor(port: number, source: string) {
    this.redis = new Redis({ port, lazyConnect: false });
    // Tests stop Redis on purpose; a command that fails tells of it.
    this.redis.on("error", () => undefined);
    this.#source = source;
  }

  /** Undefined when there is no such record. */
  async stream(id: string): Promise<StreamSeen | undefined> {
    const raw = await this.redis.hgetallBuffer(`stream:${id}:meta`);
    const fields = Object.fromEntries(
      Object.entries(raw).map(([field, value]) => [field, decodePath(value)]),
    );
    return Object.keys(fields).length === 0 ? undefined : ({ ...fields, id } as StreamSeen);
  }

  /** Every record there is, oldest first. */
  async streams(): Promise<StreamSeen[]> {
    const keys = await this.redis.keys("stream:*:meta");
    const found = await Promise.all(
      keys.map((key) => this.stream(key.slice("stream:".length, -":meta".length))),
    );
    return found.filter((stream) => stream !== undefined).sort((a, b) => a.id.localeCompare(b.id));
  }

  /** All generations of a path, oldest first. */
  async generations(path: string): Promise<StreamSeen[]> {
    return (await this.streams()).filter((stream) => stream.original_path === path);
  }

  /** The stream that stands for this path now. */
  async live(path: string): Promise<StreamSeen | undefined> {
    const id = await this.redis.hget("streams:by_path", this.#field(path));
    return id === null ? undefined : await this.stream(id);
  }

  async done(path: string): Promise<Hash | undefined> {
    const json = await this.redis.hget("files:done", this.#field(path));
    return json === null ? undefined : (JSON.parse(json) as Hash);
  }

  async parts(id: string): Promise<Map<number, { ETag: string; Size: number; Offset: number }>> {
    const hash = await this.redis.hgetall(`stream:${id}:parts`);
    return new Map(Object.entries(hash).map(([number, json]) => [Number(number), JSON.parse(json)]));
  }

  async timeline(id: string): Promise<string[]> {
    return await this.redis.lrange(`stream:${id}:log`, 0, -1);
  }

  async indexesOf(id: string): Promise<string[]> {
    const scores = await Promise.all(INDEXES.map((index) => this.redis.zscore(index, id)));
    return INDEXES.filter((_, at) => scores[at] !== null);
  }

  async watchState(name: string): Promise<string | undefined> {
    return (await this.redis.hget(`watch:${this.#source}:${name}`, "state")) ?? undefined;
  }

  [Symbol.dispose](): void {
    this.redis.disconnect();
  }

  #field(path: string): Buffer {
    return Buffer.concat([Buffer.from(`${this.#source}:`), encodePath(path)]);
  }
}
