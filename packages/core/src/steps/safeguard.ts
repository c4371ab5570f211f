/**
 * What the step of a growing file does for its tail: it goes up as the short part after the last full one, also before the
 * first part is full, and is sent again under the same number as it grows. When that is due is decided in
 * stream/safeguard.ts; what it may cost, in flow/tail-budget.ts.
 */
import { openUpload, type OpenedUpload } from "../object/open-object.ts";
import { sendTail, type SentTail } from "../object/part-sender.ts";
import { pendingRanges, type PartRange } from "../stream/checkpoint.ts";
import type { FileFacts } from "../stream/identity.ts";
import { partBytes } from "../stream/part-plan.ts";
import { decideTail } from "../stream/safeguard.ts";
import type { Asked, TailBudget, TailTurn } from "../flow/tail-budget.ts";
import type { StreamContext } from "./stream-context.ts";

/** What silence would do to the file: absent where it does not complete it. */
export interface Silence {
  completeInMs?: number | undefined;
}

export type Guarded =
  /** A tail is on its way, or is due in so long; undefined: the next look will tell. */
  | { kind: "waits"; ms: number | undefined }
  /** It is this stream's turn, and the tail of this range is to be sent. */
  | { kind: "send"; range: PartRange; turn: TailTurn };

/** HeadObject for the object's name and its metadata's, and Create. */
const REQUESTS_TO_OPEN = 3;

export function safeguard(stream: StreamContext, facts: FileFacts, silence: Silence): Guarded {
  const { context, history } = stream;
  const { held, deps } = context;
  const budget = deps.safeguard;
  if (!budget) return { kind: "waits", ms: undefined };
  const nowMs = deps.clock.monotonicMs();
  const range = tailRange(stream, facts.size);
  const decision = decideTail({
    windowMs: budget.windowMs,
    nowMs,
    sinceMs: range && sinceOf(stream, range),
    inFlight: stream.tailNumber !== undefined,
    opening: held.kind === "opening",
    quiet: history.isQuiet(nowMs),
    completeInMs: silence.completeInMs,
  });
  if (decision.kind !== "due") budget.withdraw(held.record.id);
  if (decision.kind === "nothing" || range === undefined) return { kind: "waits", ms: undefined };
  if (decision.kind === "later") return { kind: "waits", ms: decision.inMs };
  const asked = askForTurn(stream, budget, decision.sinceMs);
  return asked.kind === "turn" ? { kind: "send", range, turn: asked.turn } : { kind: "waits", ms: asked.ms };
}

function askForTurn({ context, wakeup }: StreamContext, budget: TailBudget, sinceMs: number): Asked {
  const { held, store } = context;
  // What only this stream meets must not hold up the tails of the others.
  const isStuck = (): boolean => store.trouble !== undefined && store.blocked === undefined;
  return budget.ask({ id: held.record.id, sinceMs, wake: () => wakeup.poke(), isStuck });
}

/** The part that is not full, unless it is in S3 as far as the file goes, or full parts before it are to be sent first. */
function tailRange({ context: { held }, sending }: StreamContext, size: number): PartRange | undefined {
  const skip = (n: number): boolean => sending.has(n);
  const [next] = pendingRanges(held.parts, held.plan, size, { tail: true, limit: 1, skip });
  return next && next.bytes < partBytes(held.plan, next.number) ? next : undefined;
}

/** Since when the file has had the first byte that the tail in S3 lacks: as old as it may be. */
function sinceOf({ context: { held } }: StreamContext, { number, offset }: PartRange): number | undefined {
  const first = held.firstPast(offset + (held.parts.get(number)?.Size ?? 0));
  return first && first.atMs - first.earlierMs;
}

/** An upload is opened for the tail alone; the tail itself takes another turn. */
export async function openOnTurn(
  { context }: StreamContext,
  facts: FileFacts,
  turn: TailTurn,
): Promise<OpenedUpload> {
  turn.spend(0, REQUESTS_TO_OPEN);
  try {
    return await openUpload(context, facts, { growing: true });
  } finally {
    turn.release();
  }
}

/** Sends the tail on the stream's turn; what it protects is counted when it is acknowledged. */
export async function sendOnTurn(stream: StreamContext, range: PartRange, turn: TailTurn): Promise<SentTail> {
  const { held, deps } = stream.context;
  const sinceMs = sinceOf(stream, range);
  stream.tailNumber = range.number;
  try {
    const sent = await sendTail(stream.context, range);
    if (sent.kind === "sent") {
      const ms = sinceMs === undefined ? 0 : deps.clock.monotonicMs() - sinceMs;
      turn.spend(sent.part.Size, sent.part.Attempts ?? 1);
      if (Number.isFinite(ms)) deps.safeguard?.reached(ms);
      deps.observer.tailSent(held.record, { bytes: sent.part.Size, ms });
    }
    return sent;
  } finally {
    stream.tailNumber = undefined;
    turn.release();
  }
}
