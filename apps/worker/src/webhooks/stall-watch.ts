/** Reports a stalled stream once each time it stalls, and again only after some of it was uploaded. */
import { bytesToFullPart, isStalled, kindOf, type Clock, type StreamRecord } from "@sluice/core";
import type { Outbox } from "@sluice/redis-schema";

/** A stream this worker holds. */
export interface OwnedStreamLag {
  record: StreamRecord;
  /** Includes bytes on disk that are not in the record yet. */
  unshippedBytes: number;
}

export interface StallWatchDeps {
  held(): Iterable<OwnedStreamLag>;
  outbox: Pick<Outbox, "reportStalled">;
  stallAfterMs: number;
  clock: Pick<Clock, "wallMs">;
}

export class StallWatch {
  readonly #deps: StallWatchDeps;
  /** By stream: the last activity for which a stall was reported. */
  #reported = new Map<string, string>();

  constructor(deps: StallWatchDeps) {
    this.#deps = deps;
  }

  async look(): Promise<void> {
    const still = new Map<string, string>();
    for (const stream of this.#deps.held()) {
      if (!this.#isStalled(stream)) continue;
      const { record } = stream;
      const { id, last_activity_at_utc: since } = record;
      const known = this.#reported.get(id) === since;
      if (known || (await this.#deps.outbox.reportStalled(asOnDisk(stream)))) still.set(id, since);
    }
    this.#reported = still;
  }

  #isStalled({ record, unshippedBytes }: OwnedStreamLag): boolean {
    const { stallAfterMs, clock } = this.#deps;
    const facts = {
      kind: kindOf(record.status),
      lagBytes: unshippedBytes,
      bytesToFullPart: bytesToFullPart(record.part_plan, record.next_part, record.bytes_sent),
      quietMs: clock.wallMs() - Date.parse(record.last_activity_at_utc),
    };
    return isStalled(facts, stallAfterMs);
  }
}

/** The record is written when something is uploaded; the message reports the current file and the bytes that wait. */
function asOnDisk({ record, unshippedBytes }: OwnedStreamLag): StreamRecord {
  return { ...record, file_size: Math.max(record.file_size, record.bytes_sent + unshippedBytes) };
}
