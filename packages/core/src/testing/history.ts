/**
 * A history is what happens to files, stores and workers, as data. Played over a World it leaves a timeline that a
 * person can read, and after each step and at the end the promises are checked.
 */
import { assert } from "../assert.ts";
import { CheckpointError } from "../errors.ts";
import { streamBreaches } from "../stream/invariants.ts";
import { audit } from "./audit.ts";
import type { Call, Mishap } from "./failing.ts";
import { describeAction, storeError, type Action, type StoreFault } from "./history-actions.ts";
import type { MemoryPart, MemoryUpload } from "./memory-bucket.ts";
import { PART, ROOT, sampleBytes } from "./test-values.ts";
import type { TestWorker } from "./test-worker.ts";
import { World, type WorldOptions } from "./world.ts";

export class History {
  readonly world: World;
  readonly timeline: string[] = [];
  /** CRC32 of every state a file was ever in, by inode and mtime. */
  readonly #states = new Map<string, number>();
  readonly #storeFaults: { op: string; how: StoreFault }[] = [];
  readonly #redisFaults: ("before" | "after")[] = [];
  /** Two workers may have sent at once, or a record was lost where no digest tells: parts may then go twice. */
  #mayRepeat = false;
  readonly #costlyAborts: string[] = [];
  #worker: TestWorker;

  constructor(options: WorldOptions) {
    this.world = new World(options);
    this.world.store.onAbort = (upload) => {
      if (this.#costsBytes(upload))
        this.#costlyAborts.push(`an upload of ${upload.key} was aborted with bytes that count`);
    };
    this.#mayRepeat = options.profile?.checksum === "off" && options.profile.etagIsMd5 === false;
    this.#worker = this.#start();
  }

  /** Plays the actions, then lets everything come to rest. Returns the promises that were broken, none when all held. */
  async play(actions: readonly Action[]): Promise<string[]> {
    await this.#scan();
    for (const action of actions) {
      this.#note(describeAction(action));
      await this.#act(action);
      this.#remember();
      await this.world.clock.advance(100);
      const breaches = this.#breaches();
      if (breaches.length > 0) return breaches;
    }
    await this.#rest();
    return [...this.#breaches(), ...audit(this.world), ...this.#wrongFailures()].filter(
      (breach) => !(this.#mayRepeat && breach.endsWith("was sent twice")),
    );
  }

  async #act(action: Action): Promise<void> {
    const { disk, clock, store } = this.world;
    if ("file" in action) return await this.#actOnFile(action);
    switch (action.do) {
      case "unmount":
        return disk.unmount();
      case "mount":
        return disk.mount();
      case "drop uploads":
        return store.uploads().forEach(({ uploadId }) => store.dropUpload(uploadId));
      case "kill":
      case "kill, last write lost":
        this.#worker.die();
        if (action.do !== "kill") this.world.redis.loseLastWrite();
        return await this.#next();
      case "take over":
        // Stopped for longer than its lease lasts, and awake again: it does not know yet.
        this.world.redis.lapse(this.#worker.id);
        this.#worker.lease.isFresh = false;
        this.#mayRepeat = true;
        return await this.#next();
      case "drain":
        this.#worker.stop();
        await clock.advance(1_000);
        this.world.redis.lapse(this.#worker.id);
        return await this.#next();
      case "store fails":
        for (let n = 0; n < action.times; n += 1) this.#storeFaults.push(action);
        return;
      case "redis fails":
        for (let n = 0; n < action.times; n += 1) this.#redisFaults.push(action.when);
        return;
      case "reads fail":
        return this.world.files.failReads(action.times);
      case "step wall clock":
        return clock.stepWall(action.ms);
      case "pass":
        await clock.advance(action.ms);
        return await this.#scan();
    }
  }

  async #actOnFile(action: Extract<Action, { file: string }>): Promise<void> {
    const { disk } = this.world;
    const path = this.world.path(action.file);
    if (action.do === "append") disk.append(path, sampleBytes(action.bytes, action.seed));
    else if (!disk.paths().includes(path)) return;
    else await this.#actOnExisting(action, path);
    this.#worker.poke();
    await this.#scan();
  }

  async #actOnExisting(action: Extract<Action, { file: string }>, path: string): Promise<void> {
    const { disk } = this.world;
    const size = disk.bytes(path).length;
    switch (action.do) {
      case "append":
        return;
      case "rewrite":
        return disk.rewrite(path, Math.floor(size * action.at), sampleBytes(64, action.seed));
      case "truncate":
        return disk.truncate(path, Math.floor(size * action.to));
      case "replace":
        return disk.replace(path, sampleBytes(action.bytes, action.seed));
      case "rename":
        return disk.rename(path, this.world.path(action.to));
      case "delete":
        return disk.delete(path);
      case "touch":
        return disk.touch(path);
      case "mark":
        return disk.mark(path);
      case "hold":
        return disk.hold(path);
      case "let go":
        return disk.letGo(path);
      case "finalize":
        return await this.#finalize(path);
    }
  }

  async #finalize(path: string): Promise<void> {
    for (const processor of this.#worker.processors.values()) {
      if (processor.record.original_path !== path) continue;
      // With Redis away the request waits with everything else; nobody waits for it here.
      processor
        .finalize(true)
        .catch((error: unknown) => this.#note(`finalize was refused: ${String(error)}`));
    }
  }

  /** The next process takes the place of the one before. */
  async #next(): Promise<void> {
    this.#worker = this.#start();
    await this.#scan();
  }

  #start(): TestWorker {
    const { random } = this.world;
    return this.world.worker({
      storeDelayMs: () => 1 + Math.floor(random() * 30),
      storeScript: (call) => this.#storeMishap(call),
      checkpointScript: (call) => this.#redisMishap(call),
    });
  }

  #storeMishap(call: Call): Mishap | undefined {
    const at = this.#storeFaults.findIndex((fault) => fault.op === call.method);
    const fault = at < 0 ? undefined : this.#storeFaults.splice(at, 1)[0];
    if (!fault) return undefined;
    this.#note(`  ${call.method} meets: ${fault.how}`);
    return { when: fault.how === "answer lost" ? "after" : "before", throw: storeError(fault.how) };
  }

  #redisMishap(call: Call): Mishap | undefined {
    const when = this.#redisFaults.shift();
    if (!when) return undefined;
    this.#note(`  Redis fails ${when} ${call.method}`);
    return { when, throw: new CheckpointError("Redis did not answer in time") };
  }

  /** Finds what is new. With Redis failing, the next scan does. */
  async #scan(): Promise<void> {
    const worker = this.#worker;
    await worker.scan().catch((error: unknown) => {
      if (!(error instanceof CheckpointError)) worker.bugs.push(error);
    });
  }

  /** All trouble ends; writers are done; the worker looks until nothing is left to do. */
  async #rest(): Promise<void> {
    const { world } = this;
    this.#storeFaults.length = 0;
    this.#redisFaults.length = 0;
    world.files.failReads(0);
    world.disk.mount();
    for (const path of world.disk.paths()) world.disk.letGo(path);
    this.#note("all trouble ends");
    for (let round = 0; round < 5; round += 1) {
      await this.#scan();
      for (const path of world.disk.paths()) await this.#finalize(path);
      this.#worker.poke();
      await world.clock
        .until(() => this.#worker.busy === 0, REST_MS)
        .catch((late: unknown) => {
          this.#note(`not at rest: ${String(late)}`);
        });
    }
  }

  #breaches(): string[] {
    const { redis } = this.world;
    const breaches: string[] = [];
    for (const id of redis.ids()) {
      const record = redis.record(id);
      if (record)
        breaches.push(...streamBreaches(record, redis.parts(id)).map((breach) => `${id}: ${breach}`));
      if (record?.status === "s3_completed") breaches.push(...this.#notIdentical(id));
    }
    const bugs = this.world.workers.flatMap((worker) => worker.bugs);
    return [
      ...breaches,
      ...bugs.map((bug) => `bug: ${bug instanceof Error ? (bug.stack ?? bug.message) : String(bug)}`),
      ...this.#costlyAborts,
    ];
  }

  /**
   * A part counts when a stream has recorded it, when no file that goes to this key exists any longer, so that it may be the
   * only copy, or when such a file still holds its bytes, which would have to be sent again. A worker that was taken for dead
   * may yet send a part of bytes that its file has lost since: nobody needs that one.
   */
  #costsBytes({ key, uploadId, parts }: MemoryUpload): boolean {
    const { redis, disk, digests } = this.world;
    const streams = redis.ids().flatMap((id) => redis.record(id) ?? []);
    const atKey = new Set(
      streams.filter((record) => record.s3_key === key).map(({ file_inode }) => file_inode),
    );
    const files = disk.allPaths().filter((path) => atKey.has(disk.facts(path).inode));
    const isRecorded = streams.some(
      (record) => record.s3_upload_id === uploadId && redis.parts(record.id).size > 0,
    );
    const isOnDisk = ([number, part]: [number, MemoryPart]): boolean => {
      const from = (number - 1) * PART;
      const end = from + part.bytes.length;
      return files.some((path) => digests.crc32(disk.bytes(path).subarray(from, end)) === part.crc);
    };
    return parts.size > 0 && (isRecorded || files.length === 0 || [...parts].some(isOnDisk));
  }

  /** A completed object equals the file as it stood at the size and mtime its record names. */
  #notIdentical(id: string): string[] {
    const record = this.world.redis.record(id);
    assert(record, "the stream is there");
    const object = this.world.store.object(record.s3_bucket, record.s3_key ?? "");
    const state = this.#states.get(`${record.file_inode} ${record.file_mtime_ns}`);
    if (!object) return [`${id} says it is stored, and ${record.s3_key} is not there`];
    if (state === undefined) return [`${id} names a state its file was never in`];
    return object.crc === state
      ? []
      : [`${record.s3_key} is not the file as it stood at ${record.file_mtime_ns}`];
  }

  #remember(): void {
    const { disk, digests } = this.world;
    for (const path of disk.allPaths()) {
      const { inode, mtimeNs } = disk.facts(path);
      const state = `${inode} ${mtimeNs}`;
      if (!this.#states.has(state)) this.#states.set(state, digests.crc32(disk.bytes(path)));
    }
  }

  /** A stream may fail for what happened to its file, and for nothing else here. */
  #wrongFailures(): string[] {
    const fair = [
      "failed_file_missing",
      "failed_file_missing_on_resume",
      "failed_file_replaced",
      "failed_file_truncated",
    ];
    return this.world.redis.ids().flatMap((id) => {
      const record = this.world.redis.record(id);
      if (!record?.status.startsWith("failed_") || fair.includes(record.status)) return [];
      return [`${id} failed: ${record.failure_reason}: ${record.failure_detail}`];
    });
  }

  #note(text: string): void {
    const streams = this.world.redis.ids().map((id) => {
      const record = this.world.redis.record(id);
      return `${id.slice(-2)} ${record?.status} ${record?.original_path.slice(ROOT.length + 1)} ${record?.bytes_sent}/${record?.file_size}`;
    });
    const seconds = (this.world.clock.monotonicMs() / 1000).toFixed(3).padStart(9);
    this.timeline.push(`${seconds}s  ${text.padEnd(44)} | ${streams.join(" · ")}`);
  }
}

const REST_MS = 2 * 3_600_000;
