/**
 * One disk, one Redis, one S3 and the workers that share them, all in memory: enough to live a stream's whole life, to
 * kill its worker anywhere and to start the next one from the checkpoint.
 */
import type { Digests } from "../ports/digests.ts";
import type { StoreProfile } from "../ports/object-store.ts";
import type { WatchRules } from "../flow/dependencies.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { MemoryFileSource } from "./memory-file-source.ts";
import { MemoryObjectStore } from "./memory-object-store.ts";
import { MemoryRedis } from "./memory-redis.ts";
import { TestWorker, type WorkerOptions } from "./test-worker.ts";
import { knownElsewhere } from "./test-rescan.ts";
import { defaultRules, ROOT, SOURCE } from "./test-values.ts";

export interface WorldOptions {
  digests: Digests;
  profile?: Partial<StoreProfile>;
  /** Where the store is not as its profile says. */
  behaves?: Partial<StoreProfile>;
  endedWithoutParts?: boolean;
  rules?: Partial<WatchRules>;
  birthtimes?: boolean;
  reuseInodes?: boolean;
  /** In [0, 1), for backoff. */
  random?: () => number;
  clock?: ManualClock;
}

export class World {
  readonly clock: ManualClock;
  readonly disk: MemoryDisk;
  readonly files: MemoryFileSource;
  readonly store: MemoryObjectStore;
  readonly redis = new MemoryRedis();
  readonly digests: Digests;
  readonly random: () => number;
  rules: WatchRules;
  readonly workers: TestWorker[] = [];
  /** An operator asks for a salvage of whatever has failed; the request stands until it is done. */
  salvageAsked = false;
  #ids = 0;

  constructor(options: WorldOptions) {
    const { birthtimes = true, reuseInodes = false } = options;
    this.clock = options.clock ?? new ManualClock();
    this.digests = options.digests;
    this.random = options.random ?? (() => 0.5);
    this.disk = new MemoryDisk({ clock: this.clock, birthtimes, reuseInodes });
    this.files = new MemoryFileSource(this.disk);
    this.store = new MemoryObjectStore({
      clock: { wallMs: () => this.clock.elsewhereMs() },
      digests: options.digests,
      profile: options.profile,
      behaves: options.behaves,
      endedWithoutParts: options.endedWithoutParts,
    });
    this.rules = { ...defaultRules(), ...options.rules };
    this.files.holderOf = (path) => this.redis.holderOfPath(SOURCE, path);
    this.files.knownElsewhere = (facts, path) => knownElsewhere(this, facts, path);
  }

  /** A worker process; it looks at the disk and at Redis when told to. */
  worker(options: WorkerOptions = {}): TestWorker {
    const worker = new TestWorker(this, options);
    this.workers.push(worker);
    return worker;
  }

  /** Ids sort in the order they were given out, as ULIDs do. */
  newId(): string {
    return `stream${String((this.#ids += 1)).padStart(4, "0")}`;
  }

  /** A path in the watch. */
  path(name: string): string {
    return `${ROOT}/${name}`;
  }
}
