/** Whatever is sent, in whatever order, by whichever worker, twice or late: a stream stands in exactly one index. */
import {
  CheckpointError,
  INDEXES,
  INDEX_OF,
  kindOf,
  KINDS,
  MOVES,
  streamId,
  type Kind,
  type NewStream,
  type StreamRecord,
  type StreamWrite,
} from "@sluice/core";
import {
  failBroken,
  parseRecord,
  pruneHistory,
  purgeStreams,
  repairIndexes,
  StreamStore,
  type WorkerIdentity,
} from "@sluice/redis-schema";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NOW, record, register, startHarness, W1, W2, type Harness, type Schema } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const IDS = ["s1", "s2", "s3"] as const;
const PATHS = ["/rec/a", "/rec/b"] as const;
type Id = (typeof IDS)[number];

const id = fc.constantFrom(...IDS);
const path = fc.constantFrom(...PATHS);
const worker = fc.constantFrom(W1, W2);
const kind = fc.constantFrom(...KINDS);

const command = fc.oneof(
  fc.record({
    do: fc.constant("open" as const),
    id,
    path,
    worker,
    instead: fc.option(id, { nil: undefined }),
  }),
  fc.record({
    do: fc.constant("write" as const),
    id,
    worker,
    to: kind,
    remove: fc.boolean(),
    stale: fc.boolean(),
  }),
  fc.record({ do: fc.constant("rename" as const), id, worker, path }),
  fc.record({ do: fc.constant("claim" as const), id, worker, dead: fc.boolean() }),
  fc.record({ do: fc.constant("release" as const), id, worker }),
  fc.record({ do: fc.constant("lapse" as const), worker }),
  fc.record({ do: fc.constant("renew" as const), worker }),
  fc.record({ do: fc.constant("purge" as const), id }),
  fc.record({ do: fc.constant("prune" as const) }),
  fc.record({ do: fc.constant("break" as const), id, worker }),
  fc.record({ do: fc.constant("misplace" as const), id, index: fc.constantFrom(...INDEXES) }),
  fc.record({ do: fc.constant("again" as const) }),
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** What each worker believes of each stream, which may be out of date. */
class World {
  readonly schema: Schema;
  readonly #beliefs = new Map<string, StreamRecord>();
  #last: (() => Promise<unknown>) | undefined;

  constructor(schema: Schema) {
    this.schema = schema;
  }

  async run(step: Command): Promise<void> {
    this.schema.clock.now += 1_000;
    if (step.do === "again") {
      await this.#last?.();
      return;
    }
    const send = await this.#prepare(step);
    this.#last = send;
    await send();
  }

  async #prepare(step: Exclude<Command, { do: "again" }>): Promise<() => Promise<unknown>> {
    const { schema } = this;
    const { raw } = harness;
    switch (step.do) {
      case "lapse":
        return () => raw.del(schema.keys.worker(step.worker.workerId));
      case "renew":
        return () => register(schema, step.worker);
      case "purge":
        return () => purgeStreams(schema, [step.id], { who: "ann", upload: "abort", ignoreFile: true });
      case "prune":
        return () => pruneHistory(schema, schema.clock.now - 5_000, 10);
      case "break": {
        const hash = await raw.hgetall(schema.keys.streamMeta(step.id));
        return waiting(() =>
          failBroken(schema, step.worker, { id: step.id, raw: hash, reason: "corrupt_record", detail: "x" }),
        );
      }
      case "misplace":
        // A stray hand, and the repair that follows it at start.
        return async () => {
          if (await raw.exists(schema.keys.streamMeta(step.id)))
            await raw.zadd(schema.keys.index(step.index), 1, step.id);
          await repairIndexes(schema, [step.id]);
        };
      case "open":
        return this.#open(step);
      default:
        return this.#asOwner(step);
    }
  }

  #open(step: Command & { do: "open" }): () => Promise<unknown> {
    const fresh = record({ id: streamId(step.id), original_path: step.path, owner: step.worker.workerId });
    const old = step.instead === undefined ? undefined : this.#belief(step.worker, step.instead);
    const write: StreamWrite = { from: KINDS, patch: { status: "failed_file_replaced" }, releasePath: true };
    const stream: NewStream = {
      record: fresh,
      log: ["found"],
      ...(old ? { replacing: { record: old, write } } : {}),
    };
    return waiting(async () => {
      const outcome = await this.#store(step.worker).open(stream);
      if (outcome.kind === "opened") await this.#learn(step.worker, step.id);
    });
  }

  #asOwner(step: Command & { do: "write" | "rename" | "claim" | "release" }): () => Promise<unknown> {
    const store = this.#store(step.worker);
    const about = streamId(step.id);
    if (step.do === "claim") {
      if (step.dead) for (const { nonce } of [W1, W2]) store.markDead(nonce);
      return waiting(async () => {
        const [claim] = await store.claim([about]);
        if (claim?.kind === "claimed") this.#believe(step.worker, claim.record);
      });
    }
    const mine = this.#belief(step.worker, step.id) ?? record({ id: about, owner: step.worker.workerId });
    if (step.do === "release") return () => store.release(mine);
    if (step.do === "rename") {
      return waiting(async () => {
        await store.rename(mine, step.path, { from: KINDS, patch: {} });
        await this.#learn(step.worker, step.id);
      });
    }
    const before = kindOf(mine.status) ?? "opening";
    const legal = Object.values(MOVES[before]).includes(step.to as never) || step.to === before;
    const write: StreamWrite = {
      from: [before],
      patch: legal ? { status: statusOf(step.to) } : {},
      ...(step.remove ? { remove: true } : {}),
    };
    return waiting(async () => {
      await store.write(mine, write);
      if (!step.stale) await this.#learn(step.worker, step.id);
    });
  }

  #store(identity: WorkerIdentity): StreamStore {
    return new StreamStore(this.schema, identity);
  }

  #belief(identity: WorkerIdentity, about: Id): StreamRecord | undefined {
    return this.#beliefs.get(`${identity.workerId}/${about}`);
  }

  #believe(identity: WorkerIdentity, of: StreamRecord): void {
    this.#beliefs.set(`${identity.workerId}/${of.id}`, of);
  }

  async #learn(identity: WorkerIdentity, about: Id): Promise<void> {
    const parsed = parseRecord(about, await harness.raw.hgetall(this.schema.keys.streamMeta(about)));
    if (parsed.kind === "record") this.#believe(identity, parsed.record);
  }

  async check(): Promise<void> {
    const { keys } = this.schema;
    for (const about of IDS) {
      const [status, ...scores] = await Promise.all([
        harness.raw.hget(keys.streamMeta(about), "status"),
        ...keys.indexes.map((key) => harness.raw.zscore(key, about)),
      ]);
      const listed = INDEXES.filter((_, at) => scores[at] !== null);
      const of = status === null ? undefined : kindOf(status);
      expect(listed, `indexes of ${about} (${status})`).toEqual(of === undefined ? [] : [INDEX_OF[of]]);
    }
    const holders = await harness.raw.hgetall(keys.byPath);
    for (const [field, holder] of Object.entries(holders)) {
      const stands = await harness.raw.hmget(keys.streamMeta(holder), "source", "original_path");
      expect(stands.join(":"), `the stream that holds ${field}`).toBe(field);
    }
  }
}

/** A lapsed lease refuses the command for now: to be expected here. */
function waiting(send: () => Promise<unknown>): () => Promise<unknown> {
  return async () => {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      return error;
    }
  };
}

function statusOf(of: Kind) {
  return of === "failed" ? "failed_aborted_by_operator" : of;
}

test("any sequence of commands keeps every stream in exactly one index, and every path with its stream", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), async (commands) => {
      const world = new World(harness.fresh());
      expect(world.schema.clock.wallMs()).toBe(NOW);
      await register(world.schema, W1);
      await register(world.schema, W2);
      for (const step of commands) {
        await world.run(step);
        await world.check();
      }
    }),
    { numRuns: 150 },
  );
});
