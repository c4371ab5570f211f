/**
 * The part map as data: every part of a stream, acknowledged or still to come, has exactly one state, and all bytes on
 * disk are accounted for. Pure; computed on the server, drawn and read out in the browser.
 */
import { MAX_PARTS } from "@sluice/core/stream/values";
import { isTail } from "@sluice/core/stream/checkpoint";
import { partBytes, partOffset, type PartPlan } from "@sluice/core/stream/part-plan";
import type { Part } from "@sluice/core/stream/record";
import { whereBytesAre } from "@sluice/control/stream-row";

export const CELL_STATES = ["sent", "again", "flight", "disk", "guarded", "tail"] as const;
export type CellState = (typeof CELL_STATES)[number];

const CELL_WORDS: Record<CellState, string> = {
  sent: "acknowledged",
  again: "sent again, acknowledged",
  flight: "in flight",
  disk: "on disk only",
  guarded: "safeguarded tail",
  tail: "tail, on local disk only",
};

/** What a part that is not in S3 is called when its file is not known to be there. */
const WITHOUT_FILE: Record<"lost" | "unseen", Partial<typeof CELL_WORDS>> = {
  lost: { disk: "lost with the file", tail: "tail, lost with the file" },
  unseen: { disk: "not in S3, file not seen", tail: "tail, not in S3, file not seen" },
};

/** The words for a stream: on disk is only what is there. */
export function cellWords(row: Parameters<typeof whereBytesAre>[0]): typeof CELL_WORDS {
  const { lost, unknown } = whereBytesAre(row);
  return { ...CELL_WORDS, ...(lost > 0 ? WITHOUT_FILE.lost : unknown > 0 ? WITHOUT_FILE.unseen : {}) };
}

/** Consecutive parts of one state, both ends included. */
export interface CellRun {
  from: number;
  to: number;
  state: CellState;
}

export interface PartMap {
  /** Number of cells: the highest part number shown. */
  count: number;
  runs: CellRun[];
  totals: Record<CellState, { parts: number; bytes: number }>;
  /** The filled share of the tail's cell, 0 to 1; 0 without a tail. */
  tail_share: number;
}

export interface PartMapFacts {
  plan: PartPlan | undefined;
  /** Bytes on disk when last seen. */
  fileSize: number;
  parts: readonly Pick<Part, "PartNumber" | "Size" | "Attempts">[];
  /** Parts that the worker is sending now: their numbers, or their count if it does not report the numbers. */
  inFlight: number | readonly number[];
  /** The object exists: a stream without parts was sent in one request. */
  stored: boolean;
}

export function partMap(facts: PartMapFacts): PartMap {
  const totals = emptyTotals();
  const states: CellState[] = [];
  let acknowledged = 0;
  for (const part of facts.parts) {
    const state = isGuarded(facts, part) ? "guarded" : (part.Attempts ?? 1) > 1 ? "again" : "sent";
    states[part.PartNumber - 1] = state;
    totals[state].parts += 1;
    totals[state].bytes += part.Size;
    acknowledged += part.Size;
  }
  let tailShare = 0;
  if (facts.stored && facts.parts.length === 0) {
    states[0] = "sent";
    totals.sent = { parts: 1, bytes: facts.fileSize };
  } else if (!facts.stored && acknowledged < facts.fileSize) {
    tailShare = addWhatIsOnlyOnDisk(facts, states, totals, acknowledged);
  }
  return { count: states.length, runs: runsOf(states), totals, tail_share: tailShare };
}

/** The safeguard's copy of a tail: it is replaced as the file grows. */
function isGuarded({ plan, stored }: PartMapFacts, part: Pick<Part, "PartNumber" | "Size">): boolean {
  return !stored && plan !== undefined && isTail(part, plan);
}

/** Adds gaps and what follows the last acknowledged part. Returns the filled share of the tail's cell. */
function addWhatIsOnlyOnDisk(
  facts: PartMapFacts,
  states: CellState[],
  totals: PartMap["totals"],
  acknowledged: number,
): number {
  let left = facts.fileSize - acknowledged;
  let unnamed = typeof facts.inFlight === "number" ? facts.inFlight : 0;
  const named = new Set(typeof facts.inFlight === "number" ? [] : facts.inFlight);
  const listed = facts.plan?.kind === "listed" ? facts.plan.count : 0;
  const guarded = facts.parts.find((part) => isGuarded(facts, part));
  for (let n = 1; n <= MAX_PARTS && left > 0; n += 1) {
    if (n === guarded?.PartNumber && facts.plan !== undefined) {
      const room = partBytes(facts.plan, n) - guarded.Size;
      const past = Math.min(room, left);
      const state = named.has(n) ? "flight" : past < room ? "tail" : "disk";
      // Its cell is the safeguard's until the whole part takes its place.
      if (past === room) states[n - 1] = state;
      totals[state].bytes += past;
      left -= past;
      if (past < room) return (guarded.Size + past) / partBytes(facts.plan, n);
      continue;
    }
    if (states[n - 1] !== undefined) continue;
    // Parts of an early version are where their records say; a gap among them has no part grid.
    const full = facts.plan === undefined || n <= listed ? left : partBytes(facts.plan, n);
    const isTail = facts.plan === undefined || left < full;
    const bytes = Math.min(full, left);
    const state: CellState = unnamed > 0 || named.has(n) ? "flight" : isTail ? "tail" : "disk";
    states[n - 1] = state;
    totals[state].parts += 1;
    totals[state].bytes += bytes;
    left -= bytes;
    unnamed -= 1;
    if (state === "tail") return facts.plan === undefined ? 1 : bytes / full;
  }
  return 0;
}

function runsOf(states: readonly (CellState | undefined)[]): CellRun[] {
  const runs: CellRun[] = [];
  for (let at = 0; at < states.length; at += 1) {
    const state = states[at] ?? "disk";
    const last = runs.at(-1);
    if (last?.state === state) last.to = at + 1;
    else runs.push({ from: at + 1, to: at + 1, state });
  }
  return runs;
}

function emptyTotals(): PartMap["totals"] {
  const none = () => ({ parts: 0, bytes: 0 });
  return { sent: none(), again: none(), flight: none(), disk: none(), guarded: none(), tail: none() };
}

export function stateOfPart(map: PartMap, n: number): CellState | undefined {
  return map.runs.find((run) => run.from <= n && n <= run.to)?.state;
}

/** Byte range of part N according to the plan, up to the end of the file; undefined if only its own record knows. */
export function plannedRange(
  plan: PartPlan | undefined,
  n: number,
  fileSize: number,
): { offset: number; size: number } | undefined {
  if (plan === undefined || (plan.kind === "listed" && n <= plan.count)) return undefined;
  const offset = partOffset(plan, n);
  return { offset, size: Math.max(0, Math.min(partBytes(plan, n), fileSize - offset)) };
}
