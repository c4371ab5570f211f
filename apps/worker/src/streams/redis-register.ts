/** The start-up scan's view of Redis: which streams are live, what their records say, and how to take them. */
import { LIMITS, streamId, type Parts, type StreamId } from "@sluice/core";
import { StreamReader, type StreamStore } from "@sluice/redis-schema";
import type { LoadedStream, RecovererDeps } from "./recoverer.ts";

export function interruptedStreams(reader: StreamReader, store: StreamStore): Pick<RecovererDeps, "liveIds" | "load" | "claim" | "parts"> {
  return {
    async liveIds(): Promise<StreamId[]> {
      const [active, pending] = await Promise.all([reader.ids("active"), reader.ids("pending_completion")]);
      return [...new Set([...active, ...pending])].map(streamId);
    },
    load: (ids) => reader.records(ids),
    claim: (streams) => store.claimAny(streams.map(({ id }) => id), ownersOf(streams)),
    parts: (ids) => Promise.all(ids.map((id): Promise<Parts> => store.parts(id))),
  };
}

function ownersOf(streams: readonly LoadedStream[]): Map<StreamId, string> {
  const owners = new Map<StreamId, string>();
  for (const { id, parsed } of streams) {
    const owner = parsed.kind === "record" ? parsed.record.owner : undefined;
    if (owner !== undefined) owners.set(id, owner);
  }
  return owners;
}

/** How often a worker looks for streams that lost their owner. */
export const LOOK_FOR_ORPHANED_MS = LIMITS.leaseTtlMs;
