/**
 * Streams that ended in this worker, as Redis last confirmed them. A Redis that was restored from an older state shows
 * some of them as live again; what is remembered here takes precedence.
 */
import type { Part, Parts, StreamRecord } from "@sluice/core";

export interface EndedStream {
  record: StreamRecord;
  parts: Parts;
}

/** Streams remembered; older ones are found again in S3. */
const MOST = 2_000;
/** Parts remembered per completed stream, where they are only history. */
const MOST_PARTS = 64;

export class EndedStreams {
  readonly #ended = new Map<string, EndedStream>();

  remember(record: StreamRecord, parts: ReadonlyMap<number, Part>): void {
    const keepParts = record.status !== "completed" || parts.size <= MOST_PARTS;
    this.#ended.delete(record.id);
    this.#ended.set(record.id, { record, parts: keepParts ? new Map(parts) : new Map() });
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > MOST && oldest !== undefined) this.#ended.delete(oldest);
  }

  /** The stream is live again in this worker. */
  forget(id: string): void {
    this.#ended.delete(id);
  }

  /** How it ended, if Redis shows a state from before that end. */
  knownBetter(shown: Pick<StreamRecord, "id" | "fence" | "revision">): EndedStream | undefined {
    const ended = this.#ended.get(shown.id);
    if (!ended) return undefined;
    const { fence, revision } = ended.record;
    const older = shown.fence < fence || (shown.fence === fence && shown.revision < revision);
    return older ? ended : undefined;
  }
}
