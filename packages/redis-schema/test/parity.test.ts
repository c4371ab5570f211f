/**
 * The memory store that core is tested with, and this one: the same commands get the same answers and leave the same
 * records, parts, paths and keys, whoever sends them in whatever order.
 */
import {
  CheckpointError,
  KINDS,
  metadataKey,
  MOVES,
  isLive,
  kindOf,
  streamId,
  type CheckpointStore,
  type Kind,
  type StreamRecord,
  type StreamWrite,
} from "@sluice/core";
import { MemoryCheckpointStore, MemoryRedis } from "@sluice/core/testing";
import { parseParts, parseRecord, StreamStore } from "@sluice/redis-schema";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NOW_UTC, record, register, startHarness, W1, W2, type Harness, type Schema } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const IDS = ["s1", "s2", "s3"] as const;
const WORKERS = { w1: W1, w2: W2 } as const;

const id = fc.constantFrom(...IDS);
const worker = fc.constantFrom("w1" as const, "w2" as const);
const path = fc.constantFrom("/rec/a", "/rec/b");
const key = fc.constantFrom("a", "b");

const command = fc.oneof(
  fc.record({
    do: fc.constant("open" as const),
    id,
    worker,
    path,
    instead: fc.option(id, { nil: undefined }),
  }),
  fc.record({
    do: fc.constant("write" as const),
    id,
    worker,
    to: fc.constantFrom(...KINDS),
    part: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    drop: fc.boolean(),
    take: fc.option(key, { nil: undefined }),
    remove: fc.constantFrom(false, false, false, true),
    releasePath: fc.boolean(),
  }),
  fc.record({ do: fc.constant("rename" as const), id, worker, path }),
  fc.record({ do: fc.constant("claim" as const), id, worker }),
  fc.record({ do: fc.constant("release" as const), id, worker }),
  fc.record({ do: fc.constant("lapse" as const), worker }),
  fc.record({ do: fc.constant("renew" as const), worker }),
  fc.record({ do: fc.constant("again" as const) }),
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;
type Send = (store: CheckpointStore) => Promise<unknown>;

class Pair {
  readonly #schema: Schema;
  readonly #memory = new MemoryRedis();
  readonly #stores: Record<"w1" | "w2", { memory: CheckpointStore; redis: CheckpointStore }>;
  readonly #beliefs = new Map<string, StreamRecord>();
  #last: { by: "w1" | "w2"; send: Send } | undefined;

  constructor(schema: Schema) {
    this.#schema = schema;
    const both = (name: "w1" | "w2") => ({
      memory: new MemoryCheckpointStore(this.#memory, name, WORKERS[name].nonce),
      redis: new StreamStore(schema, WORKERS[name]),
    });
    this.#stores = { w1: both("w1"), w2: both("w2") };
  }

  async start(): Promise<void> {
    await register(this.#schema, W1);
    await register(this.#schema, W2);
  }

  async run(step: Command): Promise<void> {
    if (step.do === "lapse") {
      this.#memory.lapse(step.worker);
      await harness.raw.del(this.#schema.keys.worker(step.worker));
    } else if (step.do === "renew") {
      this.#memory.renew(step.worker);
      await register(this.#schema, WORKERS[step.worker]);
    } else if (step.do === "again") {
      if (this.#last) await this.#both(this.#last.by, this.#last.send);
    } else {
      const send = this.#prepare(step);
      this.#last = { by: step.worker, send };
      await this.#both(step.worker, send);
      // What a worker believes is what it last held; it may be out of date.
      const now = this.#memory.record(step.id);
      if (now?.owner === step.worker) this.#beliefs.set(`${step.worker}/${step.id}`, now);
    }
  }

  #prepare(step: Exclude<Command, { do: "lapse" | "renew" | "again" }>): Send {
    const about = streamId(step.id);
    if (step.do === "claim") return (store) => store.claim([about]);
    if (step.do === "open") {
      const fresh = record({ id: about, original_path: step.path, owner: step.worker });
      const old =
        step.instead === undefined ? undefined : this.#beliefs.get(`${step.worker}/${step.instead}`);
      const write = old && this.#write(old, { to: "failed", releasePath: true });
      return (store) =>
        store.open({
          record: fresh,
          log: [],
          ...(old && write ? { replacing: { record: old, write } } : {}),
        });
    }
    const mine = this.#beliefs.get(`${step.worker}/${step.id}`);
    if (!mine) return async () => "never held";
    if (step.do === "release") return (store) => store.release(mine);
    if (step.do === "rename") {
      return (store) => store.rename(mine, step.path, { from: KINDS.filter(isLive), patch: {} });
    }
    const write = this.#write(mine, step);
    return (store) => store.write(mine, write);
  }

  /** A write as core makes them: a stream that ends gives back its path, one that is over its keys too. */
  #write(of: StreamRecord, step: Partial<Command & { do: "write" }> & { to: Kind }): StreamWrite {
    const before = kindOf(of.status) ?? "opening";
    const legal = step.to === before || Object.values(MOVES[before]).some((to) => to === step.to);
    const to = legal ? step.to : before;
    const over = to === "completed" || step.remove === true;
    const take = step.take !== undefined && !over ? step.take : undefined;
    const held = [of.s3_key, take].filter((name) => name !== undefined);
    return {
      from: [before],
      patch: {
        status: to === "failed" ? "failed_aborted_by_operator" : to,
        last_activity_at_utc: NOW_UTC,
        ...(to === "processing" ? { s3_upload_id: "u" } : {}),
        ...(take === undefined ? {} : { s3_key: take }),
      },
      ...(step.drop ? { dropParts: true } : {}),
      ...(step.part === undefined
        ? {}
        : { parts: [{ PartNumber: step.part, ETag: "e", Size: 5, Offset: 5 * step.part - 5 }] }),
      ...(take === undefined ? {} : { takeKeys: namesOf([take]) }),
      ...(over
        ? { releaseKeys: namesOf(held) }
        : take === undefined
          ? {}
          : { releaseKeys: namesOf(held.filter((name) => name !== take)) }),
      ...(over || (step.releasePath && !isLive(to)) ? { releasePath: true } : {}),
      ...(step.remove ? { remove: true } : {}),
    };
  }

  async #both(by: "w1" | "w2", send: Send): Promise<void> {
    const { memory, redis } = this.#stores[by];
    const [want, got] = [await answer(send, memory), await answer(send, redis)];
    expect(got).toEqual(want);
    expect(await this.#redisState()).toEqual(this.#memoryState());
  }

  #memoryState() {
    const { streams, byPath, byKey } = this.#memory.data;
    return {
      records: Object.fromEntries([...streams].map(([name, { record: of }]) => [name, of])),
      parts: Object.fromEntries(
        [...streams].map(([name, { parts }]) => [name, sorted([...parts.keys()].map(String))]),
      ),
      byPath: Object.fromEntries(byPath),
      byKey: Object.fromEntries(byKey),
    };
  }

  async #redisState() {
    const { keys } = this.#schema;
    const records: Record<string, unknown> = {};
    const parts: Record<string, string[]> = {};
    for (const name of IDS) {
      const parsed = parseRecord(name, await harness.raw.hgetall(keys.streamMeta(name)));
      if (parsed.kind === "absent") continue;
      records[name] = parsed.kind === "record" ? parsed.record : parsed;
      const read = parseParts(await harness.raw.hgetall(keys.streamParts(name)));
      parts[name] = sorted([...read.parts.keys()].map(String));
    }
    return {
      records,
      parts,
      byPath: await harness.raw.hgetall(keys.byPath),
      byKey: await harness.raw.hgetall(keys.byKey),
    };
  }
}

/** Words differ; what happened, and who stands in the way, do not. */
async function answer(send: Send, store: CheckpointStore): Promise<unknown> {
  try {
    const outcome = await send(store);
    const plain = JSON.parse(JSON.stringify(outcome ?? null), (name, value: unknown) =>
      name === "detail" ? "" : value,
    ) as unknown;
    return plain;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return "wait";
  }
}

function namesOf(keys: readonly string[]): string[] {
  return keys.flatMap((name) => [`bkt/${name}`, `bkt/${metadataKey(name)}`]);
}

function sorted(names: string[]): string[] {
  return names.toSorted();
}

test("memory and Redis answer alike and end alike", async () => {
  const run = await fc.check(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), async (commands) => {
      const pair = new Pair(harness.fresh());
      await pair.start();
      for (const step of commands) await pair.run(step);
    }),
    { numRuns: 150 },
  );
  expect(fc.defaultReportMessage(run)).toBeUndefined();
});
