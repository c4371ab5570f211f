/**
 * A model: files are made, written, renamed onto each other's names and removed, hints are lost or late, walks are under
 * way meanwhile, and the worker is killed. Once all is at rest, every file on disk is known once, under its own identity.
 */
import { isDeepStrictEqual } from "node:util";
import { newStream, World } from "@sluice/core/testing";
import { OwnedStream, KINDS, isLive, kindOf, planRetry, streamId, type ProcessorDeps } from "@sluice/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { nativeDigests } from "../files/native-digests.ts";
import { findFile } from "../files/find-file.ts";
import { Supervisor } from "./supervisor.ts";
import { WatchRunner } from "../files/watch/watch-runner.ts";
import type { Watch } from "../files/watch/watch.ts";

const SOURCE = newStream().source;
const NAMES = ["a", "b", "c", "d"] as const;

type Action =
  | { do: "write" | "remove" | "hint"; name: string }
  | { do: "rename"; name: string; to: string }
  | { do: "walk" | "kill" }
  | { do: "pass"; ms: number };

const name = fc.constantFrom(...NAMES);
const action = fc.oneof<fc.WeightedArbitrary<Action>[]>(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("write" as const), name }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("rename" as const), name, to: name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), name }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("hint" as const), name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("walk" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("kill" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(1, 3, 200, 6_000) }),
  },
);

class Model {
  readonly world = new World({ digests: nativeDigests, rules: { idleTimeoutMs: 5_000 } });
  readonly problems: unknown[] = [];
  #stop = new AbortController();
  #worker = this.world.worker();
  #supervisor!: Supervisor;
  #runner!: WatchRunner;

  async start(): Promise<void> {
    const { disk, files, redis, clock, rules } = this.world;
    const worker = this.#worker;
    const watch: Watch = { name: rules.name, root: rules.root, keyPrefix: "", rules };
    const never = this.#stop.signal;
    const processing: ProcessorDeps = {
      ...worker.deps,
      volume: {
        whereabouts: (record) =>
          findFile(
            record,
            { files, supervisor, runners: [runner], placeOf: () => expect.fail("there is one watch") },
            never,
          ),
        followed: (record, before) => supervisor.followed(record, before),
      },
      completed: {
        entry: (path) => supervisor.table.done(path),
        seenShorter: (path) => supervisor.completed.seenShorter(path),
      },
    };
    const supervisor = new Supervisor(
      {
        processing,
        register: {
          moveDone: (moves) => {
            redis.moveDone(SOURCE, moves);
            return Promise.resolve(new Map());
          },
          renewDone: (path, before, after) => {
            const same = redis.done(SOURCE, path)?.stream_id === before.stream_id;
            if (same) redis.data.done.set(`${SOURCE}:${path}`, after);
            return Promise.resolve(same);
          },
          removeIgnored: () => Promise.resolve(),
        },
        noteSource: () => Promise.resolve(),
        source: SOURCE,
        bucket: newStream().s3_bucket,
        rereadBytesPerSecond: 1024 ** 3,
        contentType: () => "application/octet-stream",
        watchOf: () => watch,
        freed: (path) => void this.#run(runner.hint(path)),
        takeUp: () => expect.fail("a stream stopped because of a fault"),
        recover: async (id) => {
          using hold = supervisor.pool.hold([id]);
          if (!hold.has(id)) return;
          const [claim] = await worker.deps.checkpoints.claim([streamId(id)]);
          if (claim?.kind !== "claimed") return;
          const parts = await worker.deps.checkpoints.parts(claim.record.id);
          const held = new OwnedStream(claim.record, parts.values(), worker.deps, never);
          const { event } = planRetry(claim.record);
          const patch = { failure_reason: null, failure_detail: null };
          await held.move(event, { dropParts: event === "restarted", patch });
          supervisor.pool.start({
            because: "recovered",
            record: held.record,
            parts: held.parts.values(),
            watch,
          });
        },
        log: {
          debug: () => undefined,
          info: () => undefined,
          warn: () => undefined,
          error: ({ err }) => this.problems.push(err),
        },
      },
      never,
    );
    const runner = new WatchRunner(watch, {
      files,
      clock,
      supervisor,
      rescanIntervalMs: 10_000,
      async *walk() {
        for (const path of disk.paths()) {
          // Renames may come between any two files.
          await clock.sleep(1);
          const look = await files.look(path);
          if (look.kind === "file") yield { path, facts: look.facts };
        }
      },
      accepts: () => true,
      followsEvents: () => 0,
      rootIdentity: () => Promise.resolve({ inode: "root" }),
      loadRoot: () => Promise.resolve({ inode: "root" }),
      saveState: () => Promise.resolve(),
      removeDone: (paths) => {
        for (const path of paths) redis.forgetDone(SOURCE, path);
        return Promise.resolve();
      },
      noteSource: () => Promise.resolve(),
      catchUp: () => Promise.resolve(),
      log: { info: () => undefined, warn: () => undefined },
    });
    [this.#supervisor, this.#runner] = [supervisor, runner];
    void this.#run(supervisor.completed.reread(never));
    for (const path of redis.donePaths(SOURCE)) {
      const entry = redis.done(SOURCE, path);
      if (entry) supervisor.table.setDone(path, entry);
    }
    const live = redis.ids().filter((id) => KINDS.filter(isLive).some((kind) => kind === this.#kindOf(id)));
    using _held = supervisor.pool.hold(live);
    for (const claim of await worker.deps.checkpoints.claim(live)) {
      if (claim.kind !== "claimed") continue;
      const parts = await worker.deps.checkpoints.parts(claim.record.id);
      supervisor.pool.start({ because: "resumed", record: claim.record, parts: parts.values(), watch });
    }
  }

  async play(actions: readonly Action[]): Promise<void> {
    await this.start();
    for (const one of actions) {
      await this.#act(one);
      await this.world.clock.settle();
      this.#supervisor.correct();
    }
    for (let round = 0; round < 8; round += 1) {
      void this.#run(this.#runner.rescan(this.#stop.signal));
      await this.world.clock.advance(10_000);
      this.#supervisor.correct();
    }
  }

  async #act(one: Action): Promise<void> {
    const { disk, clock } = this.world;
    const path = (file: string): string => this.world.path(file);
    switch (one.do) {
      case "write":
        return disk.append(path(one.name), new TextEncoder().encode(`${one.name} ${clock.monotonicMs()};`));
      case "rename":
        if (disk.file(path(one.name))) disk.rename(path(one.name), path(one.to));
        return;
      case "remove":
        if (disk.file(path(one.name))) disk.delete(path(one.name));
        return;
      case "hint":
        return void this.#run(this.#runner.hint(path(one.name)));
      case "walk":
        return void this.#run(this.#runner.rescan(this.#stop.signal));
      case "kill":
        this.#worker.die();
        this.#stop.abort();
        this.#stop = new AbortController();
        this.#worker = this.world.worker();
        return await this.start();
      case "pass":
        return await clock.advance(one.ms);
    }
  }

  #run(work: Promise<unknown>): Promise<unknown> {
    return work.catch((error: unknown) => this.problems.push(error));
  }

  #kindOf(id: string) {
    return kindOf(this.world.redis.record(id)?.status ?? "");
  }

  /** What is wrong once all is at rest. */
  faults(): string[] {
    const { disk, redis } = this.world;
    const { table, running, corrections } = this.#supervisor;
    const found: string[] = this.problems.map(String);
    for (const path of disk.paths()) {
      const facts = disk.facts(path);
      const known = table.get(path);
      const entry = redis.done(SOURCE, path);
      if (known?.kind !== "done" || !isDeepStrictEqual(known.entry, entry))
        found.push(`${path} is ${known?.kind ?? "unknown"} here and ${entry ? "done" : "unknown"} in Redis`);
      if (
        entry?.file_inode !== facts.inode ||
        entry.file_size !== facts.size ||
        entry.file_mtime_ns !== facts.mtimeNs
      )
        found.push(`${path} is known as another file, or as it was`);
      const object = entry && this.world.store.versions(entry.s3_bucket, entry.s3_key).at(-1);
      if (!object) found.push(`${path} has no object`);
    }
    for (const path of redis.donePaths(SOURCE)) if (!disk.file(path)) found.push(`${path} is gone and known`);
    for (const { id, path } of table.live())
      if (!running.has(id)) found.push(`${path} is live with a dead stream`);
    if (corrections > 0) found.push(`the table was corrected ${corrections} times`);
    const sent = redis.ids().flatMap((id) => {
      const record = redis.record(id);
      return record?.status === "completed"
        ? [`${record.file_inode} ${record.file_size} ${record.file_mtime_ns}`]
        : [];
    });
    if (new Set(sent).size < sent.length) found.push("a file was sent twice");
    return found;
  }
}

/** More, on request. */
const RUNS = Number(process.env["RENAMES_RUNS"] ?? 300);

test("D2a, D7a: whatever is renamed, created and removed, every file is known once under its own identity", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 2, maxLength: 20 }), async (actions) => {
      const model = new Model();
      await model.play(actions);
      expect(model.faults()).toEqual([]);
    }),
    { numRuns: RUNS },
  );
}, 600_000);
