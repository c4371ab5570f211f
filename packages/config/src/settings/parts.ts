/** How files are divided into parts, and how much is uploaded at once. */
import { GIB, MAX_PART_BYTES, MIN_PART_BYTES } from "@sluice/core";
import { setting } from "../setting.ts";
import { durationOrOff, oneOf, perSecond, rate, size, timesOrRate, wholeNumber } from "../values/scalars.ts";

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
  tailSafeguardMs: setting({
    name: "TAIL_SAFEGUARD",
    group,
    type: durationOrOff({ from: 1_000, to: 86_400_000 }),
    initial: "off",
    about:
      "The window of the safeguard: at least this often what a growing file has past its last full part goes up too, as a short part that is replaced as the file grows. What the host's loss costs is then this window and the time of one request. Off by itself on stores known to keep or bill replaced parts (docs/reference/durability.md).",
  }),
  tailBudget: setting({
    name: "TAIL_BUDGET",
    group,
    type: timesOrRate({ times: { from: 1, to: 100 }, rate: { from: 64 * 1024, to: TIB } }),
    initial: "4x",
    about:
      "The most that the safeguard sends: so many times what the worker's files grow by, and at least 64 KiB a second, or a rate. Where it does not suffice, the file that has been unprotected for longest goes first, and the window really reached is shown.",
  }),
  tailRequestsPerSecond: setting({
    name: "TAIL_REQUESTS",
    group,
    type: perSecond({ from: 0.1, to: 1_000 }),
    initial: "5/s",
    about:
      "The most requests that the safeguard makes. A file's first tail takes four, each later one takes one.",
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
