/**
 * What was acknowledged when the worker was killed, and what happened afterwards: an acknowledged part with another
 * acknowledgement time was sent again, and its bytes are counted.
 */
import type { Part } from "@sluice/core/stream/record";
import type { StreamReader } from "@sluice/redis-schema/stream-reader";

type Seen = Pick<Part, "Size" | "ETag" | "UploadedAt">;

export interface Kill {
  worker: string;
  pid: number;
  /** In ms since 1970. */
  at: number;
}

export class KillLog {
  readonly #reader: StreamReader;
  readonly #acknowledged = new Map<string, Map<number, Seen>>();
  readonly #kills: Kill[] = [];

  constructor(reader: StreamReader) {
    this.#reader = reader;
  }

  get kills(): readonly Kill[] {
    return this.#kills;
  }

  /**
   * Before the kill: records what the streams have acknowledged. Parts recorded before an earlier kill keep their
   * entry.
   */
  async remember(ids: readonly string[], kill: Kill): Promise<void> {
    for (const id of ids) {
      const known = this.#acknowledged.get(id) ?? new Map<number, Seen>();
      const { parts } = await this.#reader.parts(id);
      for (const [number, part] of parts) if (!known.has(number)) known.set(number, part);
      this.#acknowledged.set(id, known);
    }
    this.#kills.push(kill);
  }

  /** Over all kills: bytes that had been acknowledged before a kill, and how many of them were sent again after it. */
  async count(): Promise<{ acknowledged: number; sent_again: number }> {
    let acknowledged = 0;
    let sentAgain = 0;
    for (const [id, known] of this.#acknowledged) {
      const { parts } = await this.#reader.parts(id);
      for (const [number, before] of known) {
        acknowledged += before.Size;
        const now = parts.get(number);
        if (now !== undefined && now.UploadedAt !== before.UploadedAt) sentAgain += before.Size;
      }
    }
    return { acknowledged, sent_again: sentAgain };
  }
}
