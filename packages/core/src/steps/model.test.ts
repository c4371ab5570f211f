/**
 * Random histories of files, faults, deaths and take-overs: whatever happens, in whatever order, the promises hold. A
 * history that breaks one is shrunk and printed as a timeline; MODEL_SEED (and _PATH) plays it again.
 *
 * Without settings the same 200 histories are played each time, so that a failure is the fault of the change at hand.
 * MODEL_RUNS asks for that many new ones, as the nightly run does.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { quickDigests } from "../../test/node-digests.ts";
import type { StoreProfile } from "../ports/object-store.ts";
import { SIZES, type Action } from "../testing/history-actions.ts";
import { History } from "../testing/history.ts";

const EXPLORE = process.env["MODEL_RUNS"];
const RUNS = Number(EXPLORE ?? 200);
const SEED = process.env["MODEL_SEED"] ?? (EXPLORE === undefined ? "20261130" : undefined);
const PATH = process.env["MODEL_PATH"];

const file = fc.constantFrom("a.bin", "a.bin", "b.part", "b");
const bytes = fc.constantFrom(...Object.values(SIZES));
const seed = fc.integer({ min: 1, max: 1_000 });
const fraction = fc.constantFrom(0, 0.3, 0.7, 0.999);
const times = fc.integer({ min: 1, max: 3 });

const op = fc.constantFrom(
  "uploadPart",
  "uploadPart",
  "complete",
  "put",
  "createUpload",
  "head",
  "listParts",
);
const how = fc.constantFrom("not reached", "answer lost", "answer lost", "throttled", "garbled");

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("append" as const), file, bytes, seed }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("rewrite" as const), file, at: fraction, seed }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("truncate" as const), file, to: fraction }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("replace" as const), file, bytes, seed }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("rename" as const), file, to: file }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("delete", "touch", "mark", "mark", "hold", "let go", "finalize"),
      file,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "kill",
        "kill",
        "kill, last write lost",
        "take over",
        "drain",
        "unmount",
        "mount",
        "drop uploads",
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("store fails" as const), op, how, times }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("redis fails" as const),
      when: fc.constantFrom("before", "after"),
      times,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reads fail" as const), times }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("step wall clock" as const),
      ms: fc.constantFrom(-3_600_000, 90_000),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(5, 20, 60, 1_000, 31_000) }),
  },
);

/** Stores as they are met: AWS, and those that lack this or that. */
const profile = fc.constantFrom<Partial<StoreProfile>>(
  {},
  { repeatComplete: false, conditionalComplete: false },
  { checksum: "per-part", repeatComplete: false, conditionalComplete: false, conditionalPut: false },
  { checksum: "md5", conditionalComplete: false, conditionalPut: false },
  {
    checksum: "off",
    etagIsMd5: false,
    repeatComplete: false,
    conditionalComplete: false,
    conditionalPut: false,
  },
);

it("no history breaks a promise (C0 to C27, F1, F3 to F10, S5, S6, S14, S28, R7, R9)", async () => {
  const histories = fc.asyncProperty(
    profile,
    fc.integer({ min: 1, max: 1_000_000 }),
    fc.array(action, { minLength: 3, maxLength: 14 }),
    async (lacks, jitter, actions) => {
      const history = new History({ digests: quickDigests, profile: lacks, random: seeded(jitter) });
      const breaches = await history.play(actions);
      expect(breaches, `\n${history.timeline.join("\n")}\n`).toEqual([]);
    },
  );
  await fc.assert(histories, {
    numRuns: RUNS,
    ...(SEED === undefined ? {} : { seed: Number(SEED) }),
    ...(PATH === undefined ? {} : { path: PATH }),
    interruptAfterTimeLimit: 600_000,
  });
}, 660_000);

/** A small generator, so that delays and backoff repeat with the history. */
function seeded(start: number): () => number {
  let state = start;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
