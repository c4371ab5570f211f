/** Which action a stream's state allows, from the table of moves; why not, in words. */
import { canApply } from "@sluice/core";
import type { ListedStream } from "@sluice/redis-schema";

export type StreamAction = "retry" | "finalize" | "abort" | "purge";

type Row = Pick<ListedStream, "kind" | "superseded_by">;

/** Undefined: allowed. */
export function obstacle(action: StreamAction, { kind, superseded_by }: Row): string | undefined {
  if (action === "purge") {
    return kind === "failed" || kind === undefined ? undefined : "only failed streams are purged";
  }
  if (kind === undefined) return "its record cannot be worked with: purge it";
  switch (action) {
    case "retry":
      if (kind !== "failed") return "only failed streams are retried";
      return superseded_by === undefined ? undefined : "another generation took its place";
    case "finalize":
      if (canApply(kind, "settled")) return undefined;
      if (kind === "failed") return "it failed: retry it instead";
      return kind === "pending_completion" ? "it is being completed already" : "it is complete already";
    case "abort":
      return canApply(kind, "broke") ? undefined : "it is not live any more";
  }
}
