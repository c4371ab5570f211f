/** How files are divided into parts, and how much is uploaded at once. */
import { GIB, MAX_PART_BYTES, MIN_PART_BYTES } from "@sluice/core";
import { setting } from "../setting.ts";
import { oneOf, rate, size, wholeNumber } from "../values/scalars.ts";

const group = "Parts";
const TIB = 1024 * GIB;

export const PART_PLANS = ["stepped", "uniform"] as const;

export const partSettings = {
  partBytes: setting({
    name: "PART_SIZE",
    group,
    type: size({ from: MIN_PART_BYTES, to: MAX_PART_BYTES }),
    initial: "8MiB",
    about: "Size of the first 1,000 parts of a file. Applies to new streams; running ones keep theirs.",
  }),
  partPlan: setting({
    name: "PART_PLAN",
    group,
    type: oneOf(PART_PLANS),
    computed: "stepped; uniform for a store known to demand equal parts",
    about:
      "`stepped`: parts grow with the file (×4 after part 1,000, ×16 after 2,000, ×96 after 4,000), so that a file of unknown length fits. `uniform`: all parts are equal, sized for the expected maximum.",
  }),
  expectedMaxBytes: setting({
    name: "EXPECTED_MAX_SIZE",
    group,
    type: size({ from: MIN_PART_BYTES, to: 48 * TIB }),
    initial: "100GiB",
    about: "The size of the largest expected file; sizes the parts of a `uniform` plan.",
  }),
  uploadConcurrency: setting({
    name: "UPLOAD_CONCURRENCY",
    group,
    type: wholeNumber(1, 256),
    initial: "4",
    about: "Parts in flight at once in the whole worker.",
  }),
  bandwidthBytesPerSecond: setting({
    name: "BANDWIDTH",
    group,
    type: rate({ from: 64 * 1024, to: TIB }),
    computed: "no limit",
    about: "The maximum upload rate of the worker.",
  }),
  rereadBytesPerSecond: setting({
    name: "REREAD_RATE",
    group,
    type: rate({ from: 64 * 1024, to: TIB }),
    initial: "20MiB/s",
    about:
      "The maximum read rate for completed files whose ctime or mtime changed but not their size, which are compared with their CRC32.",
  }),
  memoryBudgetBytes: setting({
    name: "MEMORY_BUDGET",
    group,
    type: size({ from: MIN_PART_BYTES, to: TIB }),
    computed: "parts in flight × part size",
    about:
      "Memory for the bytes of parts in flight. Each gets an equal share as its buffer, at least one first part; larger parts are read from the file while they are sent.",
  }),
};
