/**
 * What Redis holds, in memory: streams, claims by path and key, completed files, leases. A stream's index follows from its
 * status alone, so it is in exactly one. The last change can be lost, as a failover loses it.
 */
import type { StatsDelta } from "../ports/checkpoint-store.ts";
import type { Part, Parts, StreamRecord } from "../stream/record.ts";
import { INDEX_OF, kindOf, type Index } from "../stream/state.ts";
import { streamId, type StreamId } from "../stream/values.ts";
import type { DoneEntry } from "../stream/completed-file.ts";

export interface Stored {
  record: StreamRecord;
  parts: Map<number, Part>;
  log: string[];
  /** What the last write said, so that the same command is known when it comes again. */
  token: string;
}

export interface Data {
  streams: Map<string, Stored>;
  byPath: Map<string, string>;
  byKey: Map<string, string>;
  done: Map<string, DoneEntry>;
}

interface Lease {
  nonce: string;
  lapsed: boolean;
}

export class MemoryRedis {
  #data: Data = { streams: new Map(), byPath: new Map(), byKey: new Map(), done: new Map() };
  #before: Data | undefined;
  readonly #leases = new Map<string, Lease>();
  readonly stats: Required<StatsDelta> = {
    bytes_in: 0,
    bytes_sent: 0,
    parts: 0,
    retries: 0,
    failures: 0,
    completed: 0,
  };
  /** Writes that changed something. */
  writes = 0;

  /** A worker registers; another process under its id loses the lease. */
  register(worker: string, nonce: string): void {
    this.#leases.set(worker, { nonce, lapsed: false });
  }

  /** The lease runs out, as that of a dead or stopped worker does. */
  lapse(worker: string): void {
    const lease = this.#leases.get(worker);
    if (lease) lease.lapsed = true;
  }

  /** Somebody writes into a record by hand, or what comes back from a dump is not what was there. */
  tamper(id: string, fields: Readonly<Record<string, string | number>>): void {
    const stored = this.#data.streams.get(id);
    if (stored) stored.record = { ...stored.record, ...fields };
  }

  renew(worker: string): void {
    const lease = this.#leases.get(worker);
    if (lease) lease.lapsed = false;
  }

  lease(worker: string): Lease | undefined {
    return this.#leases.get(worker);
  }

  /** The last write is lost, as in a failover. Counters are not taken back. */
  loseLastWrite(): void {
    if (this.#before) this.#data = this.#before;
    this.#before = undefined;
  }

  /** FLUSHALL. */
  empty(): void {
    this.#data = { streams: new Map(), byPath: new Map(), byKey: new Map(), done: new Map() };
    this.#before = undefined;
  }

  ids(): StreamId[] {
    return [...this.#data.streams.keys()].map(streamId).toSorted();
  }

  record(id: string): StreamRecord | undefined {
    return this.#data.streams.get(id)?.record;
  }

  parts(id: string): Parts {
    return this.#data.streams.get(id)?.parts ?? new Map();
  }

  log(id: string): readonly string[] {
    return this.#data.streams.get(id)?.log ?? [];
  }

  index(index: Index): StreamId[] {
    return this.ids().filter((id) => {
      const kind = kindOf(this.record(id)?.status ?? "");
      return kind !== undefined && INDEX_OF[kind] === index;
    });
  }

  holderOfPath(source: string, path: string): StreamId | undefined {
    const id = this.#data.byPath.get(`${source}:${path}`);
    return id === undefined ? undefined : streamId(id);
  }

  holderOfKey(bucket: string, key: string): string | undefined {
    return this.#data.byKey.get(`${bucket}/${key}`);
  }

  takenKeys(): string[] {
    return [...this.#data.byKey.keys()].toSorted();
  }

  done(source: string, path: string): DoneEntry | undefined {
    return this.#data.done.get(`${source}:${path}`);
  }

  seenShorter(source: string, path: string): void {
    const entry = this.done(source, path);
    if (entry) this.#data.done.set(`${source}:${path}`, { ...entry, seen_shorter: true });
  }

  donePaths(source: string): string[] {
    const prefix = `${source}:`;
    return [...this.#data.done.keys()]
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length));
  }

  forgetDone(source: string, path: string): void {
    this.#data.done.delete(`${source}:${path}`);
  }

  /** Completed files were renamed: their entries follow, all at once. */
  moveDone(source: string, moves: readonly { from: string; to: string }[]): void {
    const entries = moves.map(({ from }) => this.done(source, from));
    for (const { from } of moves) this.forgetDone(source, from);
    for (const [at, { to }] of moves.entries()) {
      const entry = entries[at];
      if (entry) this.#data.done.set(`${source}:${to}`, entry);
    }
  }

  /** What Redis holds, after a copy of it was kept for `loseLastWrite`. */
  change(): Data {
    this.#before = structuredClone(this.#data);
    this.writes += 1;
    return this.#data;
  }

  get data(): Data {
    return this.#data;
  }
}
