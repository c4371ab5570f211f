/**
 * A history as data: what kind of world it is, and what happens in it and when. Made from a seed; every action carries its
 * own seed, so that one may be left out and the others stay as they were.
 */
import type { DiskCharacter } from "../disk/disk.ts";
import type { Cut } from "../worker.ts";
import { Random } from "../world/random.ts";
import { ARCHIVE } from "../world/roots.ts";
import { WRITERS, type WriterName } from "../writers/index.ts";

export type Action = { atMs: number; seed: number } & (
  | { kind: "write"; writer: WriterName; name: string }
  /** At the nth thing it asks of the world from now on. */
  | { kind: "kill"; worker: string; calls: number; when: "before" | "after"; downMs: number }
  | { kind: "stop"; worker: string; how: "pause" | "seal"; downMs: number }
  | { kind: "freeze"; worker: string; forMs: number }
  | { kind: "redis away"; forMs: number; hung: boolean }
  | { kind: "redis loses replies"; forMs: number }
  | { kind: "redis older"; lostMs: number }
  | { kind: "redis emptied" }
  | { kind: "script fails"; afterWrites: number; forMs: number }
  | { kind: "store away"; forMs: number }
  | { kind: "store loses replies"; forMs: number; late: boolean }
  | { kind: "store refuses"; forMs: number }
  | { kind: "file unreadable"; name: string; forMs: number; code: string }
  | { kind: "volume away"; forMs: number }
  | { kind: "clock set"; worker: string; byMs: number }
  /** An operator asks for it, of every stream that is in such a state then. */
  | { kind: "ask"; action: (typeof ASKED)[number] | (typeof ENDING)[number] }
  /** Every worker starts again with them. */
  | { kind: "settings"; name: keyof typeof CHANGEABLE; value: string }
  /** A lifecycle rule ends every open upload. */
  | { kind: "uploads dropped" }
  | { kind: "store refuses If-Match"; forMs: number }
  | { kind: "store lists late"; forMs: number }
  | { kind: "redis full"; forMs: number }
  | { kind: "volume full"; forMs: number }
  /** And has another device number than before. */
  | { kind: "volume remounted"; forMs: number }
);

const ASKED = ["finalize", "retry", "verify", "list_parts", "scan_orphans"] as const;
/** What ends streams, or removes their records. */
export const ENDING = ["abort", "purge", "salvage", "prune_history"] as const;

const CHANGEABLE = {
  SLUICE_IDLE_TIMEOUT: ["2s", "5s", "9s"],
  SLUICE_AFTER_UPLOAD: ["keep", "delete", `move:${ARCHIVE}`],
  SLUICE_ON_REPLACE: ["keep-both", "replace"],
  SLUICE_TAIL_SAFEGUARD: ["off", "2s", "10s"],
  SLUICE_TIDY_UNSEEN: ["true", "false"],
  SLUICE_UPLOAD_CONCURRENCY: ["1", "2", "4"],
} as const;

export type ActionKind = Action["kind"];

export interface Plan {
  seed: number;
  disk: DiskCharacter;
  workers: string[];
  settings: Record<string, string>;
  writersSeen: boolean;
  events: { lost: number; doubled: number; slowestMs: number };
  slowness: number;
  slowestMs: number;
  /** The pauses of writers are so much of what their programs say. This and the next two: undefined in plans of before. */
  pace?: number;
  /** Chance that a way to Redis or back takes no time. */
  redisAtOnce?: number;
  cut?: Cut;
  store: {
    etagIsMd5: boolean;
    conditionalPut: boolean;
    conditionalComplete: boolean;
    repeatComplete: boolean;
  };
  actions: Action[];
  /** From here on every fault is lifted. */
  healsAtMs: number;
}

const WRITER_NAMES = Object.keys(WRITERS) as WriterName[];

type Draw = (random: Random, plan: Pick<Plan, "workers">) => DistributiveOmit<Action, "atMs" | "seed">;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

const workerOf = (random: Random, { workers }: Pick<Plan, "workers">): string => random.pick(workers);

/** What may happen, beside writers. A history draws from a part of these. */
const FAULTS: Partial<Record<ActionKind, Draw>> = {
  kill: (random, plan) => ({
    kind: "kill",
    worker: workerOf(random, plan),
    calls: random.between(1, 300),
    when: random.pick(["before", "after"]),
    downMs: random.between(10, 40_000),
  }),
  stop: (random, plan) => ({
    kind: "stop",
    worker: workerOf(random, plan),
    how: random.pick(["pause", "seal"]),
    downMs: random.between(10, 40_000),
  }),
  freeze: (random, plan) => ({
    kind: "freeze",
    worker: workerOf(random, plan),
    forMs: random.between(500, 40_000),
  }),
  "redis away": (random) => ({
    kind: "redis away",
    forMs: random.between(100, 40_000),
    hung: random.chance(0.3),
  }),
  "redis loses replies": (random) => ({ kind: "redis loses replies", forMs: random.between(500, 20_000) }),
  "redis older": (random) => ({ kind: "redis older", lostMs: random.between(50, 3_000) }),
  "redis emptied": () => ({ kind: "redis emptied" }),
  "script fails": (random) => ({
    kind: "script fails",
    // A script that ends half-way leaves a stream that nothing mends yet: see docs/internals/simulation.md.
    afterWrites: 0,
    forMs: random.between(50, 2_000),
  }),
  "store away": (random) => ({ kind: "store away", forMs: random.between(500, 60_000) }),
  "store loses replies": (random) => ({
    kind: "store loses replies",
    forMs: random.between(2_000, 40_000),
    late: random.chance(0.4),
  }),
  "store refuses": (random) => ({ kind: "store refuses", forMs: random.between(2_000, 40_000) }),
  "file unreadable": (random) => ({
    kind: "file unreadable",
    name: `f${random.between(0, 4)}`,
    forMs: random.between(1_000, 40_000),
    code: random.pick(["EACCES", "EIO"]),
  }),
  "volume away": (random) => ({ kind: "volume away", forMs: random.between(1_000, 40_000) }),
  "clock set": (random, plan) => ({
    kind: "clock set",
    worker: workerOf(random, plan),
    byMs: random.between(-3_600_000, 3_600_000),
  }),
  ask: (random) => ({
    kind: "ask",
    action: random.pick(ASKED),
  }),
};

const FAULT_KINDS = Object.keys(FAULTS) as (keyof typeof FAULTS)[];

/** Drawn on their own, so that a seed has the rest of its history with or without them. */
const MORE: readonly [ActionKind, Draw][] = [
  ["ask", (random) => ({ kind: "ask", action: random.pick(ENDING) })],
  [
    "settings",
    (random) => {
      const name = random.pick(Object.keys(CHANGEABLE) as (keyof typeof CHANGEABLE)[]);
      return { kind: "settings", name, value: random.pick(CHANGEABLE[name]) };
    },
  ],
  ["uploads dropped", () => ({ kind: "uploads dropped" })],
  [
    "store refuses If-Match",
    (random) => ({ kind: "store refuses If-Match", forMs: random.between(1_000, 40_000) }),
  ],
  ["store lists late", (random) => ({ kind: "store lists late", forMs: random.between(1_000, 40_000) })],
  ["redis full", (random) => ({ kind: "redis full", forMs: random.between(100, 20_000) })],
  ["volume full", (random) => ({ kind: "volume full", forMs: random.between(1_000, 30_000) })],
  ["volume remounted", (random) => ({ kind: "volume remounted", forMs: random.between(100, 20_000) })],
];

export const ACTION_KINDS = [...new Set([...FAULT_KINDS, ...MORE.map(([kind]) => kind)])];

/** Writers and faults begin within so long. */
const WRITE_MS = 25_000;
export const FILES = 5;

function drawOf(kind: ActionKind): Draw {
  const draw = FAULTS[kind];
  if (!draw) throw new RangeError(`${kind} is no fault`);
  return draw;
}

export function planOf(seed: number): Plan {
  const random = new Random(seed).fork("plan");
  const workers = random.chance(0.7) ? ["w1", "w2"] : ["w1"];
  const faults = FAULT_KINDS.filter((kind) => random.chance(kind === "kill" ? 0.7 : 0.35));
  const writers = WRITER_NAMES.filter(() => random.chance(0.5));
  const actions: Action[] = [];
  const add = (atMs: number, what: DistributiveOmit<Action, "atMs" | "seed">): void =>
    void actions.push({ atMs, seed: random.between(0, 2 ** 31), ...what } as Action);
  for (let file = 0; file < FILES; file += 1) {
    const name = random.chance(0.2) ? `day/f${file}` : `f${file}`;
    const writer = random.pick(writers.length > 0 ? writers : WRITER_NAMES);
    add(random.between(0, WRITE_MS), { kind: "write", writer, name });
    // The same name is used again.
    if (random.chance(0.25)) add(random.between(0, WRITE_MS), { kind: "write", writer, name });
  }
  if (random.chance(0.4))
    add(random.between(0, WRITE_MS / 2), { kind: "write", writer: "big recording", name: "big" });
  const faultsInAll = faults.length > 0 ? random.pick([0, 2, 5, 12]) : 0;
  for (let n = faultsInAll; n > 0; n -= 1)
    add(random.between(0, WRITE_MS + 15_000), drawOf(random.pick(faults))(random, { workers }));
  const more = new Random(seed).fork("more");
  for (let n = more.chance(0.5) ? more.between(1, 4) : 0; n > 0; n -= 1) {
    const [, draw] = more.pick(MORE);
    const [atMs, own] = [more.between(0, WRITE_MS + 15_000), more.between(0, 2 ** 31)];
    actions.push({ atMs, seed: own, ...draw(more, { workers }) } as Action);
  }
  actions.sort((a, b) => a.atMs - b.atMs);
  return {
    seed,
    workers,
    actions,
    disk: {
      birthTimes: random.chance(0.6),
      reusesInodes: random.chance(0.5),
      grainNs: random.pick([1, 1, 4_000_000, 1_000_000_000, 2_000_000_000]),
      hardLinks: random.chance(0.8),
    },
    settings: {
      SLUICE_IDLE_TIMEOUT: random.pick(["2s", "5s"]),
      SLUICE_IDLE_MAX: "10s",
      SLUICE_AFTER_UPLOAD: random.pick(["keep", "keep", "delete", `move:${ARCHIVE}`]),
      SLUICE_AFTER_UPLOAD_DELAY: random.pick(["0s", "10s"]),
      SLUICE_TIDY_UNSEEN: String(random.chance(0.5)),
      SLUICE_ON_REPLACE: random.pick(["keep-both", "keep-both", "replace"]),
      SLUICE_HISTORY: random.pick(["7d", "7d", "0"]),
      SLUICE_TAIL_SAFEGUARD: random.fork("safeguard").pick(["off", "2s", "10s"]),
    },
    pace: random.pick([0.2, 0.4]),
    redisAtOnce: 0.7,
    cut: random.pick([
      { partBytes: 8_192, bufferBytes: 8_192 },
      { partBytes: 8_192, bufferBytes: 32_768 },
      { partBytes: 32_768, bufferBytes: 32_768 },
    ]),
    writersSeen: random.chance(0.7),
    events: { lost: random.pick([0, 0.3, 1]), doubled: 0.2, slowestMs: random.pick([20, 2_000]) },
    slowness: random.pick([0, 0.1, 0.5]),
    slowestMs: random.pick([3, 3, 500]),
    store: {
      etagIsMd5: random.chance(0.3),
      conditionalPut: random.chance(0.8),
      conditionalComplete: random.chance(0.8),
      repeatComplete: random.chance(0.7),
    },
    healsAtMs: WRITE_MS + 25_000,
  };
}
