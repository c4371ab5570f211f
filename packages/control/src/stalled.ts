/** Whether a row is stalled, by the rule that workers tell webhooks by. */
import { isStalled as isStalledStream } from "@sluice/core/stream/stalled";
import { nextPartBytes } from "./next-part.ts";
import { lagBytes, lastActivityAt, type StreamRow } from "./stream-row.ts";

export function isStalled(row: StreamRow, now: number, stallAfterMs: number): boolean {
  const facts = {
    kind: row.kind,
    lagBytes: lagBytes(row),
    nextPartBytes: nextPartBytes(row),
    quietMs: now - (lastActivityAt(row) ?? now),
  };
  return isStalledStream(facts, stallAfterMs);
}
