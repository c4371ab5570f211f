/**
 * The part grid: where part N begins and ends is a pure function of N and the stream's recorded plan, so that any
 * worker, at any time, splits the same file at the same bytes.
 */
import { assert } from "../assert.ts";
import { MAX_PARTS } from "./values.ts";

const KIB = 1024;
export const MIB = KIB * KIB;
export const GIB = 1024 * MIB;
/** S3 refuses a smaller part except at the end, and a larger one everywhere. */
export let MIN_PART_BYTES = 5 * MIB;
export const MAX_PART_BYTES = 5 * GIB;

/** For a simulated store alone, so that files of some KiB have many parts. */
export function allowPartsFrom(bytes: number): void {
  MIN_PART_BYTES = bytes;
}

/** Steps of the `stepped` plan: up to part `through`, each part has `factor` times the first size. */
const STEPS = [
  { through: 1_000, factor: 1 },
  { through: 2_000, factor: 4 },
  { through: 4_000, factor: 16 },
  { through: MAX_PARTS, factor: 96 },
] as const;

export type PartPlan =
  | { kind: "stepped"; partBytes: number }
  | { kind: "uniform"; partBytes: number }
  /** A record of an early version: `count` parts covering `bytes` exist already; later ones start where they end. */
  | { kind: "listed"; count: number; bytes: number; partBytes: number }
  /** `count` equal parts cover an earlier object, to be copied from it; later ones start where they end. */
  | { kind: "copied"; count: number; copiedBytes: number; rest: "stepped" | "uniform"; partBytes: number };

/** As the record's field `part_plan` holds it, and `parsePlan` reads it: `stepped:8388608`. */
export function formatPlan(plan: PartPlan): string {
  switch (plan.kind) {
    case "stepped":
    case "uniform":
      return `${plan.kind}:${plan.partBytes}`;
    case "listed":
      return `listed:${plan.count}:${plan.bytes}+stepped:${plan.partBytes}`;
    case "copied":
      return `copied:${plan.copiedBytes}x${plan.count}+${plan.rest}:${plan.partBytes}`;
  }
}

/** Undefined if the text is not a plan. */
export function parsePlan(text: string): PartPlan | undefined {
  const match = /^(?:(.+)\+)?(stepped|uniform):(\d+)$/.exec(text);
  if (!match) return undefined;
  const [, before, name, size] = match;
  const kind = name === "uniform" ? "uniform" : "stepped";
  const partBytes = Number(size);
  if (!isPartSize(partBytes)) return undefined;
  if (before === undefined) return { kind, partBytes };
  return parseListed(before, kind, partBytes) ?? parseCopied(before, kind, partBytes);
}

type Rest = "stepped" | "uniform";

function parseListed(text: string, rest: Rest, partBytes: number): PartPlan | undefined {
  const [, count, bytes] = /^listed:(\d+):(\d+)$/.exec(text) ?? [];
  if (count === undefined || rest === "uniform") return undefined;
  if (Number(count) > MAX_PARTS || !Number.isSafeInteger(Number(bytes))) return undefined;
  return { kind: "listed", count: Number(count), bytes: Number(bytes), partBytes };
}

function parseCopied(text: string, rest: Rest, partBytes: number): PartPlan | undefined {
  const [copiedBytes = 0, count = 0] = (/^copied:(\d+)x(\d+)$/.exec(text) ?? []).slice(1).map(Number);
  if (!isPartSize(copiedBytes) || count < 1 || count >= MAX_PARTS) return undefined;
  if (rest === "uniform" && copiedBytes !== partBytes) return undefined;
  return { kind: "copied", count, copiedBytes, rest, partBytes };
}

function isPartSize(bytes: number): boolean {
  return bytes >= MIN_PART_BYTES && bytes <= MAX_PART_BYTES;
}

/** Size of a full part N on the grid. Parts 1..count of a listed plan have the sizes they were sent with. */
export function partBytes(plan: PartPlan, n: number): number {
  // Called for every part of a file at each of its parts, so it must not allocate.
  if (!(n >= 1 && n <= MAX_PARTS)) assert(false, `part number ${n} is within 1..${MAX_PARTS}`);
  if (plan.kind === "copied" && n <= plan.count) return plan.copiedBytes;
  if (plan.kind === "uniform" || (plan.kind === "copied" && plan.rest === "uniform")) return plan.partBytes;
  assert(plan.kind !== "listed" || n > plan.count, "sizes of listed parts come from their records");
  return Math.min(plan.partBytes * factorAt(n), MAX_PART_BYTES);
}

function factorAt(n: number): number {
  for (const step of STEPS) if (n <= step.through) return step.factor;
  assert(false, "the last step reaches the last part");
}

/** First byte of part N. */
export function partOffset(plan: PartPlan, n: number): number {
  switch (plan.kind) {
    case "uniform":
      return (n - 1) * plan.partBytes;
    case "stepped":
      return steppedBytes(plan.partBytes, n);
    case "listed":
      assert(n > plan.count, "offsets of listed parts come from their records");
      return plan.bytes + steppedBetween(plan, n);
    case "copied": {
      if (n <= plan.count || plan.rest === "uniform") return (n - 1) * plan.copiedBytes;
      return plan.count * plan.copiedBytes + steppedBetween(plan, n);
    }
  }
}

/** Bytes of the parts after the first `count` and before N: their sizes follow from their numbers. */
function steppedBetween(
  { partBytes: first, count }: { partBytes: number; count: number },
  n: number,
): number {
  return steppedBytes(first, n) - steppedBytes(first, count + 1);
}

/** Bytes of a stepped grid before part N. */
function steppedBytes(first: number, n: number): number {
  let bytes = 0;
  let from = 1;
  for (const step of STEPS) {
    const count = Math.min(n, step.through + 1) - from;
    if (count <= 0) break;
    bytes += count * Math.min(first * step.factor, MAX_PART_BYTES);
    from = step.through + 1;
  }
  return bytes;
}

/**
 * The maximum number of bytes in `maxParts` parts of the plan, which, like the largest object, limits the file's size.
 */
export function planCapacity(plan: PartPlan, maxParts = MAX_PARTS): number {
  const last = Math.min(maxParts, MAX_PARTS);
  if (plan.kind === "listed" && plan.count >= last) return plan.bytes;
  return partOffset(plan, last) + partBytes(plan, last);
}

export interface PlanChoice {
  kind: "stepped" | "uniform";
  /** SLUICE_PART_SIZE in bytes. */
  partBytes: number;
  /** SLUICE_EXPECTED_MAX_SIZE in bytes: sizes the parts of a uniform plan. */
  expectedMaxBytes: number;
  /** Maximum number of parts in the store (10,000 on S3, 1,000 on some). */
  maxParts: number;
}

/** The plan of a new stream. Uniform parts are whole MiB, so that ranges stay readable. */
export function choosePlan(choice: PlanChoice): Extract<PartPlan, { kind: Rest }> {
  if (choice.kind === "stepped") return { kind: "stepped", partBytes: choice.partBytes };
  const needed = Math.ceil(choice.expectedMaxBytes / choice.maxParts / MIB) * MIB;
  const partBytes = Math.min(MAX_PART_BYTES, Math.max(choice.partBytes, needed, MIN_PART_BYTES));
  return { kind: "uniform", partBytes };
}

/** Maximum number of copied parts: later numbers are needed for the file's further growth. */
const MOST_COPIED = 1_000;

/**
 * The plan that copies an earlier object's bytes in parts; undefined if nothing of it can be copied. The parts are no
 * larger than those that are sent, so that a changed byte costs one of that size, and no smaller than S3 copies. The
 * remainder after the last of them has fewer bytes than there are parts, and is sent.
 */
export function extendedPlan(
  base: Extract<PartPlan, { kind: Rest }>,
  objectBytes: number,
  maxParts: number,
): Extract<PartPlan, { kind: "copied" }> | undefined {
  const { kind: rest, partBytes: size } = base;
  const whole = (count: number, copiedBytes: number) => {
    const fits = count >= 1 && count < maxParts && isPartSize(copiedBytes);
    return fits ? { kind: "copied" as const, count, copiedBytes, rest, partBytes: size } : undefined;
  };
  if (rest === "uniform") return whole(Math.floor(objectBytes / size), size);
  // Ranges of an object of 5 MiB or less are not copied.
  if (objectBytes <= MIN_PART_BYTES) return undefined;
  const most = Math.min(MOST_COPIED, Math.max(1, Math.floor(maxParts / 2)));
  const wanted = Math.max(size, Math.ceil(objectBytes / most));
  const count = Math.min(Math.ceil(objectBytes / wanted), Math.floor(objectBytes / MIN_PART_BYTES));
  return whole(count, Math.floor(objectBytes / count));
}

/**
 * How many bytes past those in S3 make the next full part: fewer are a tail. A tail that is in S3 already is counted by the
 * record like any other part, and its number is the one that becomes full. 1 where the record does not say, or says what
 * cannot be.
 */
export function bytesToFullPart(partPlan: string | undefined, nextPart = 1, bytesSent?: number): number {
  const plan = partPlan === undefined ? undefined : parsePlan(partPlan);
  if (plan === undefined) return 1;
  const n = plan.kind === "listed" ? Math.max(nextPart, plan.count + 1) : nextPart;
  if (n < 1 || n > MAX_PARTS + 1) return 1;
  const begins = partOffset(plan, n);
  if (bytesSent !== undefined && n === nextPart && bytesSent < begins) return begins - bytesSent;
  return n <= MAX_PARTS ? partBytes(plan, n) : 1;
}
