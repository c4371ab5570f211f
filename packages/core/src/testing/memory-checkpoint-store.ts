/**
 * The checkpoint store over Redis in memory, as one worker sees it. Every change is atomic and checks lease, owner, fence,
 * state and revision; a change sent twice counts once.
 */
import { CheckpointError } from "../errors.ts";
import type {
  CheckpointStore,
  Claim,
  NewStream,
  OpenOutcome,
  StatsDelta,
  StreamWrite,
  WriteOutcome,
  WrittenBack,
} from "../ports/checkpoint-store.ts";
import { metadataKey } from "../object/object-key.ts";
import { patched, type Parts, type StreamRecord } from "../stream/record.ts";
import { isLive, kindOf } from "../stream/state.ts";
import { streamId, type StreamId } from "../stream/values.ts";
import type { Data, MemoryRedis } from "./memory-redis.ts";

export class MemoryCheckpointStore implements CheckpointStore {
  readonly #redis: MemoryRedis;
  readonly #worker: string;
  readonly #nonce: string;

  /** Under a new lease: `nonce` tells this process from an earlier one of the same id. */
  constructor(redis: MemoryRedis, worker: string, nonce: string) {
    this.#redis = redis;
    this.#worker = worker;
    this.#nonce = nonce;
    redis.register(worker, nonce);
  }

  async open(stream: NewStream): Promise<OpenOutcome> {
    const { record, replacing, knownDone } = stream;
    const token = tokenOf(["open", this.#worker, record, stream.log]);
    const there = this.#redis.data.streams.get(record.id);
    if (there?.token === token) return { kind: "opened" };
    if (there) return { kind: "lost", detail: "its id is in use" };
    const refused = this.#refuseLease() ?? (replacing && this.#refuse(replacing.record, replacing.write));
    if (refused?.kind === "lost" || refused?.kind === "older") return refused;
    if (refused) return { kind: "lost", detail: refused.kind };
    const path = pathName(record);
    const by = this.#redis.data.byPath.get(path);
    const freed = replacing?.write.releasePath === true && by === replacing.record.id;
    if (by !== undefined && by !== record.id && !freed) return { kind: "taken", by: streamId(by) };
    const entry = this.#redis.data.done.get(path);
    if (knownDone !== undefined && entry && entry.stream_id !== knownDone) return { kind: "done", entry };
    const data = this.#redis.change();
    if (replacing) this.#apply(data, replacing.record, replacing.write);
    const stored = { record: { ...record, owner: this.#worker, revision: 0 }, parts: new Map(), token };
    data.streams.set(record.id, { ...stored, log: [...stream.log] });
    data.byPath.set(path, record.id);
    return { kind: "opened" };
  }

  async write(record: StreamRecord, write: StreamWrite): Promise<WriteOutcome> {
    const refused = this.#refuse(record, write);
    if (refused) return refused.kind === "already" ? { kind: "written" } : refused;
    this.#apply(this.#redis.change(), record, write);
    return { kind: "written" };
  }

  async rename(
    record: StreamRecord,
    newPath: string,
    write: StreamWrite,
  ): Promise<WriteOutcome | { kind: "path_taken"; by: string }> {
    const refused = this.#refuse(record, write, newPath);
    if (refused) return refused.kind === "already" ? { kind: "written" } : refused;
    const target = pathName({ ...record, original_path: newPath });
    const by = this.#redis.data.byPath.get(target);
    if (by !== undefined && by !== record.id && by !== write.displaces) return { kind: "path_taken", by };
    const data = this.#redis.change();
    release(data.byPath, pathName(record), record.id);
    data.byPath.set(target, record.id);
    this.#apply(data, record, write, newPath);
    return { kind: "written" };
  }

  async writeBack(record: StreamRecord, parts: Parts): Promise<WrittenBack> {
    const lost = this.#refuseLease();
    if (lost) return lost;
    const now = this.#redis.data.streams.get(record.id)?.record;
    const owner = now?.owner ?? this.#worker;
    const lease = this.#redis.lease(owner);
    if (owner !== this.#worker && lease && !lease.lapsed)
      return { kind: "lost", detail: `it belongs to ${owner}` };
    if (now && owner === this.#worker && !isOlder(now, record)) {
      const same = now.fence === record.fence && now.revision === record.revision;
      return same ? { kind: "kept" } : { kind: "lost", detail: `another owner took it (fence ${now.fence})` };
    }
    const data = this.#redis.change();
    const fence = Math.max(now?.fence ?? 0, record.fence) + 1;
    const stored = { record: { ...record, owner: this.#worker, fence }, parts: new Map(parts), token: "" };
    const log = data.streams.get(record.id)?.log ?? [];
    if (now) release(data.byPath, pathName(now), record.id);
    data.streams.set(record.id, { ...stored, log: [...log, "written back from memory"] });
    data.byPath.set(pathName(record), record.id);
    if (record.s3_key !== undefined)
      for (const key of [record.s3_key, metadataKey(record.s3_key)])
        data.byKey.set(`${record.s3_bucket}/${key}`, record.id);
    return { kind: "written", fence };
  }

  async claim(ids: readonly StreamId[]): Promise<Claim[]> {
    if (this.#refuseLease()) return ids.map(() => ({ kind: "absent" }));
    return ids.map((id) => this.#claimOne(id));
  }

  async release(record: StreamRecord): Promise<void> {
    const stored = this.#redis.data.streams.get(record.id);
    if (stored?.record.owner !== this.#worker || stored.record.fence !== record.fence) return;
    if (this.#redis.lease(this.#worker)?.nonce !== this.#nonce) return;
    const now = this.#redis.change().streams.get(record.id);
    if (now) delete now.record.owner;
  }

  async parts(id: StreamId): Promise<Parts> {
    return new Map(this.#redis.parts(id));
  }

  #claimOne(id: StreamId): Claim {
    const stored = this.#redis.data.streams.get(id);
    const kind = stored && kindOf(stored.record.status);
    if (!stored || kind === undefined || kind === "completed") return { kind: "absent" };
    const { owner } = stored.record;
    const lease = owner === undefined ? undefined : this.#redis.lease(owner);
    if (owner !== undefined && owner !== this.#worker && lease && !lease.lapsed) {
      return { kind: "held", by: owner };
    }
    const record = { ...stored.record, owner: this.#worker, fence: stored.record.fence + 1 };
    const now = this.#redis.change().streams.get(id);
    if (now) Object.assign(now, { record, token: "" });
    return { kind: "claimed", record: { ...record } };
  }

  #refuseLease(): { kind: "lost"; detail: string } | undefined {
    const lease = this.#redis.lease(this.#worker);
    if (lease?.nonce !== this.#nonce) {
      return { kind: "lost", detail: "another process runs under this worker id" };
    }
    if (lease.lapsed) throw new CheckpointError(`the lease of ${this.#worker} has lapsed`);
    return undefined;
  }

  #refuse(
    record: StreamRecord,
    write: StreamWrite,
    newPath?: string,
  ): Exclude<WriteOutcome, { kind: "written" }> | { kind: "already" } | undefined {
    const { owner = this.#worker } = record;
    if (owner !== this.#worker) return { kind: "lost", detail: `it belongs to ${owner}` };
    const stored = this.#redis.data.streams.get(record.id);
    if (!stored)
      return write.remove ? { kind: "already" } : { kind: "older", gone: true, detail: "its record is gone" };
    const now = stored.record;
    const again = now.fence === record.fence && now.revision === record.revision + 1;
    if (again && stored.token === writeToken(record, write, newPath)) return { kind: "already" };
    if (isOlder(now, record)) return { kind: "older", gone: false, detail: "Redis has an older copy of it" };
    if (now.owner !== this.#worker) return { kind: "lost", detail: `it belongs to ${now.owner ?? "nobody"}` };
    if (now.fence !== record.fence)
      return { kind: "lost", detail: `another owner took it (fence ${now.fence})` };
    const lost = this.#refuseLease();
    if (lost) return lost;
    const kind = kindOf(now.status);
    if (kind === undefined || !write.from.includes(kind))
      return { kind: "lost", detail: `it is ${now.status}` };
    if (now.revision !== record.revision) {
      return { kind: "lost", detail: `another write came first (revision ${now.revision})` };
    }
    if (revives(now, write)) {
      const by = this.#redis.data.byPath.get(pathName(now));
      if (by !== undefined && by !== record.id) return { kind: "lost", detail: `its path is taken by ${by}` };
    }
    for (const key of write.takeKeys ?? []) {
      const by = this.#redis.data.byKey.get(key);
      if (by !== undefined && by !== record.id) return { kind: "key_taken", by };
    }
    return undefined;
  }

  #apply(data: Data, record: StreamRecord, write: StreamWrite, newPath?: string): void {
    const stored = data.streams.get(record.id);
    if (!stored) throw new CheckpointError("the stream vanished between check and change");
    const patch = newPath === undefined ? write.patch : { ...write.patch, original_path: newPath };
    const next = { ...patched(stored.record, patch), revision: record.revision + 1 };
    const kind = kindOf(next.status);
    // A stream that ends loses its owner; a salvage, which takes a failed one, keeps it while it works.
    if (write.patch.status !== undefined && (kind === undefined || !isLive(kind))) delete next.owner;
    if (revives(stored.record, write)) data.byPath.set(pathName(next), record.id);
    stored.record = next;
    stored.token = writeToken(record, write, newPath);
    if (write.dropParts) stored.parts.clear();
    for (const part of write.parts ?? []) stored.parts.set(part.PartNumber, part);
    if (write.releasePath || write.remove) release(data.byPath, pathName(next), record.id);
    for (const key of write.releaseKeys ?? []) release(data.byKey, key, record.id);
    for (const key of write.takeKeys ?? []) data.byKey.set(key, record.id);
    if (write.done) data.done.set(pathName(next), write.done);
    stored.log.push(...(write.log ?? []));
    for (const [name, by] of Object.entries(write.stats ?? {})) {
      this.#redis.stats[name as keyof StatsDelta] += by ?? 0;
    }
    if (write.remove) data.streams.delete(record.id);
  }
}

/** Fences and revisions only grow. */
function isOlder(now: StreamRecord, known: StreamRecord): boolean {
  return now.fence < known.fence || (now.fence === known.fence && now.revision < known.revision);
}

/** Whether a failed stream lives again after this write. */
function revives(record: StreamRecord, write: StreamWrite): boolean {
  const { status } = write.patch;
  const after = typeof status === "string" ? kindOf(status) : undefined;
  // What lives only to be described needs no path.
  if (write.releasePath === true) return false;
  return kindOf(record.status) === "failed" && after !== undefined && isLive(after);
}

function release(claims: Map<string, string>, name: string, id: string): void {
  if (claims.get(name) === id) claims.delete(name);
}

function pathName(record: Pick<StreamRecord, "source" | "original_path">): string {
  return `${record.source}:${record.original_path}`;
}

function writeToken(record: StreamRecord, write: StreamWrite, newPath: string | undefined): string {
  return tokenOf([record.id, record.fence, record.revision, write, newPath]);
}

function tokenOf(content: unknown): string {
  return JSON.stringify(content);
}
