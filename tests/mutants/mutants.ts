/** One way to break each promise, as a patch, and the test that turns red when somebody does it. */

export interface Mutant {
  /** Its patch is `patches/<promise>.patch`. */
  promise: string;
  /** What the product does once the patch is in. */
  breaks: string;
  project: "unit" | "integration";
  file: string;
  /** The beginning of the test's title. */
  test: string;
}

const CORE = "packages/core/src";

export const MUTANTS: readonly Mutant[] = [
  {
    promise: "P1",
    breaks: "the verify pass takes every part for unchanged: a rewritten header is never sent again",
    project: "unit",
    file: `${CORE}/steps/seal.test.ts`,
    test: "F1: sends a part that was rewritten in place again, under its number, and no other",
  },
  {
    promise: "P2",
    breaks: "a part of unknown outcome is sent again although ListParts shows it",
    project: "unit",
    file: `${CORE}/object/part-sender.test.ts`,
    test: "C5: was taken: its CRC32 tells",
  },
  {
    promise: "P3",
    breaks: "an empty upload that an interrupted Create left is not removed",
    project: "unit",
    file: `${CORE}/object/open-object.test.ts`,
    test: "P3: and is empty and not used is removed when the stream completes",
  },
  {
    promise: "P4",
    breaks:
      "the bytes of an object at the key are never found equal, so an emptied Redis recognises nothing in S3",
    project: "unit",
    file: `${CORE}/object/put-whole.test.ts`,
    test: "P4: is recognised with an empty Redis: nothing is sent, and its description is left as it is",
  },
  {
    promise: "P5",
    breaks: "a 412 to Complete counts as another's object; HeadObject, which shows our own, is not asked",
    project: "unit",
    file: `${CORE}/object/complete.test.ts`,
    test: "C14: S24: the reply is 412 for its own success: the object counts once",
  },
  {
    promise: "P6",
    breaks: "a file with the inode number of another is taken for it",
    project: "unit",
    file: `${CORE}/steps/grow.test.ts`,
    test: "F9: with the inode number of the one before is known by its birth time",
  },
  {
    promise: "P7",
    breaks: "Complete is sent on a lease that may have lapsed",
    project: "unit",
    file: `${CORE}/object/complete.test.ts`,
    test: "P7: Complete waits for a fresh lease, also when the store was away for longer than the lease",
  },
  {
    promise: "P8",
    breaks: "a file that changed at the last moment is deleted all the same",
    project: "integration",
    file: "apps/worker/test/disk-file-tidier.test.ts",
    test: "puts it back when it is written at the last moment",
  },
  {
    promise: "P9",
    breaks: "one part more than the lane has slots goes up at once",
    project: "unit",
    file: `${CORE}/flow/upload-lane.test.ts`,
    test: "P9: gives out no more slots than it has, and no more buffers",
  },
  {
    promise: "P10",
    breaks: "SIGTERM cuts the parts in flight off instead of letting them end",
    project: "unit",
    file: `${CORE}/steps/stream-processor.test.ts`,
    test: "C24: lets the parts in flight end, and gives the stream back",
  },
  {
    promise: "P11",
    breaks: "a bucket that is missing as a whole is each stream's own trouble",
    project: "unit",
    file: `${CORE}/flow/store-gate.test.ts`,
    test: "P11: closes on bucket",
  },
  {
    promise: "P12",
    breaks: "what was acknowledged under a number whose short part may still land counts as protected",
    project: "unit",
    file: `${CORE}/steps/safeguard.test.ts`,
    test: "P12: what follows under its number counts once S3 shows it after the deadline",
  },
];
