/**
 * Core's CheckpointStore on Redis. Each write is one script that checks lease, owner, fence, state and revision, so a
 * worker that lost a stream cannot write it and a command sent twice changes nothing. Writes of different streams that
 * are made at the same moment share a round trip (auto-pipelining); those of one stream come one after another.
 */
import {
  CheckpointError,
  streamId,
  type CheckpointStore,
  type Claim,
  type NewStream,
  type OpenOutcome,
  type Parts,
  type StreamId,
  type StreamRecord,
  type StreamWrite,
  type WriteOutcome,
} from "@sluice/core";
import type { SchemaContext, WorkerIdentity } from "./context.ts";
import { KEPT } from "./kept.ts";
import { claimStreams, type ClaimedStream } from "./stream-claims.ts";
import { parseDone } from "./records/file-entries.ts";
import { parseParts } from "./records/part.ts";
import { fromBuffers, type Arg } from "./records/text.ts";
import { callRedis, replyName, replyText } from "./replies.ts";
import { runScript, SCRIPTS, type Script } from "./scripts.ts";
import { changeArgs, createArgs, list, logLines, type StoreWrite } from "./stream-change.ts";

/** Something a stream does not fail of, but which someone should hear. */
export interface StoreNotice {
  stream: StreamId;
  text: string;
}

type ScriptOutcome =
  | WriteOutcome
  | { kind: "path_taken"; by: string }
  | { kind: "opened" }
  | { kind: "taken"; by: string }
  | { kind: "done"; entry: string };

export class StreamStore implements CheckpointStore {
  readonly #context: SchemaContext;
  readonly #identity: WorkerIdentity;
  readonly #notice: (notice: StoreNotice) => void;
  /** Nonces of leases whose process is known to be gone; the next claim need not wait for them to lapse. */
  readonly #dead = new Set<string>();

  constructor(
    context: SchemaContext,
    identity: WorkerIdentity,
    notice: (notice: StoreNotice) => void = () => undefined,
  ) {
    this.#context = context;
    this.#identity = identity;
    this.#notice = notice;
  }

  /** The process behind this lease ran on this host and is gone: its streams may be claimed at once. */
  markDead(nonce: string): void {
    this.#dead.add(nonce);
  }

  async open(stream: NewStream): Promise<OpenOutcome> {
    const { record, replacing, knownDone } = stream;
    const now = this.#context.clock.wallMs();
    const worker = this.#identity.workerId;
    if (replacing && notOurs(replacing.record, worker)) return lostTo(replacing.record);
    const keys = [
      ...this.#streamKeys(record.id),
      ...(replacing ? this.#streamKeys(replacing.record.id) : []),
    ];
    const args = [
      ...createArgs(record, stream.log, worker, now),
      ...(replacing ? ["1", ...changeArgs(replacing.record, replacing.write, worker, now)] : ["0"]),
      ...list(knownDone === undefined ? [] : [knownDone]),
    ];
    const outcome = await this.#pastGhosts(SCRIPTS.openStream, keys, args);
    if (outcome.kind === "opened" || outcome.kind === "lost") return outcome;
    if (outcome.kind === "taken") return { kind: "taken", by: streamId(outcome.by) };
    if (outcome.kind === "done") return await this.#openUnlessDone(stream, outcome.entry);
    return { kind: "lost", detail: `the replaced stream's write was refused: ${outcome.kind}` };
  }

  /** An entry that cannot be read is as good as none: the store is asked instead. */
  async #openUnlessDone(stream: NewStream, entry: string): Promise<OpenOutcome> {
    const parsed = parseDone(entry);
    if (parsed.kind === "ok") return { kind: "done", entry: parsed.value };
    const { record, log, replacing } = stream;
    return await this.open({ record, log, ...(replacing === undefined ? {} : { replacing }) });
  }

  async write(record: StreamRecord, write: StreamWrite): Promise<WriteOutcome> {
    const outcome = await this.#change(record, write);
    if (outcome.kind === "path_taken") return { kind: "lost", detail: `its path is taken by ${outcome.by}` };
    return outcome;
  }

  rename(
    record: StreamRecord,
    newPath: string,
    write: StreamWrite,
  ): Promise<WriteOutcome | { kind: "path_taken"; by: string }> {
    return this.#change(record, { ...write, newPath });
  }

  /**
   * A claimed record of the founding phase, filled in: all fields, its path and its parts in one step. `record` carries
   * the fence and revision of the claim; the stored status may be missing.
   */
  adopt(
    record: StreamRecord,
    write: StreamWrite,
  ): Promise<WriteOutcome | { kind: "path_taken"; by: string }> {
    const { id: _, fence: __, revision: ___, owner: ____, ...fields } = record;
    return this.#change(record, { ...write, patch: { ...fields, ...write.patch }, takePath: true }, [""]);
  }

  async claim(ids: readonly StreamId[]): Promise<Claim[]> {
    const claims = await this.claimAny(ids);
    return Promise.all(claims.map((claim) => this.#asRecord(claim)));
  }

  /**
   * As `claim`, but says of every stream what it is. `owners`: the owners as just read, which saves a round trip.
   * At most three round trips for the whole list.
   */
  claimAny(ids: readonly StreamId[], owners?: ReadonlyMap<StreamId, string>): Promise<ClaimedStream[]> {
    return claimStreams(this.#context, this.#identity, { ids, owners, dead: [...this.#dead] });
  }

  async release(record: Pick<StreamRecord, "id" | "fence">): Promise<void> {
    const { keys } = this.#context;
    const { workerId, nonce } = this.#identity;
    const now = this.#context.clock.wallMs();
    const detail = `let go by ${workerId}`;
    await runScript(
      this.#context.redis,
      SCRIPTS.releaseStream,
      [keys.worker(workerId), keys.streamMeta(record.id), keys.streamLog(record.id), keys.events],
      [
        nonce,
        workerId,
        now,
        KEPT.logEntries,
        KEPT.events,
        record.id,
        record.fence,
        ...logLines([detail], workerId, now),
        detail,
      ],
    );
  }

  async parts(id: StreamId): Promise<Parts> {
    const { redis, keys } = this.#context;
    const hash = await callRedis("read parts", () => redis.hgetallBuffer(keys.streamParts(id)));
    const { parts, bad } = parseParts(fromBuffers(hash));
    for (const { field, detail } of bad)
      this.#notice({ stream: id, text: `part ${field} is left out: ${detail}` });
    return parts;
  }

  async #change(
    record: StreamRecord,
    write: StoreWrite,
    alsoFrom: readonly string[] = [],
  ): Promise<WriteOutcome | { kind: "path_taken"; by: string }> {
    const worker = this.#identity.workerId;
    if (notOurs(record, worker)) return lostTo(record);
    const args = changeArgs(record, write, worker, this.#context.clock.wallMs(), alsoFrom);
    const outcome = await this.#pastGhosts(SCRIPTS.writeStream, this.#streamKeys(record.id), args);
    // A removal sent twice finds nothing the second time: that is what it wanted.
    if (write.remove && outcome.kind === "lost" && outcome.detail === GONE) return { kind: "written" };
    if (outcome.kind === "opened" || outcome.kind === "taken" || outcome.kind === "done")
      return { kind: "lost", detail: outcome.kind };
    return outcome;
  }

  /**
   * A path or key may be held in the name of a stream whose record is gone. The holder's meta key then comes along, and
   * the script itself sees that nothing is there.
   */
  async #pastGhosts(script: Script, keys: readonly string[], args: readonly Arg[]): Promise<ScriptOutcome> {
    const ghosts: string[] = [];
    for (;;) {
      const outcome = await this.#run(script, keys, args, ghosts);
      const by = "by" in outcome ? outcome.by : undefined;
      if (by === undefined || ghosts.includes(by) || ghosts.length >= MOST_GHOSTS) return outcome;
      const meta = this.#context.keys.streamMeta(by);
      const there = await callRedis("look for the holder", () => this.#context.redis.exists(meta));
      if (there === 1) return outcome;
      ghosts.push(by);
    }
  }

  async #run(
    script: Script,
    own: readonly string[],
    args: readonly Arg[],
    ghosts: readonly string[],
  ): Promise<ScriptOutcome> {
    const { redis, keys, clock } = this.#context;
    const { workerId, nonce } = this.#identity;
    const now = clock.wallMs();
    const reply = await runScript(
      redis,
      script,
      [
        keys.worker(workerId),
        ...keys.indexes,
        keys.byPath,
        keys.byKey,
        keys.filesDone,
        keys.events,
        keys.stats(now),
        ...own,
        ...ghosts.map((id) => keys.streamMeta(id)),
      ],
      [nonce, workerId, now, KEPT.logEntries, KEPT.events, KEPT.statsMs, ...list(ghosts), ...args],
    );
    const name = replyName(reply, [
      "written",
      "opened",
      "lost",
      "lapsed",
      "key_taken",
      "path_taken",
      "taken",
      "done",
    ]);
    if (name === "lapsed")
      throw new CheckpointError(`the lease of ${workerId} has lapsed; writes wait until it is renewed`);
    if (name === "lost")
      return { kind: "lost", detail: lostDetail(replyText(reply, 1), replyText(reply, 2)) };
    if (name === "written" || name === "opened") return { kind: name };
    if (name === "done") return { kind: name, entry: replyText(reply, 1) };
    return { kind: name, by: replyText(reply, 1) };
  }

  #streamKeys(id: StreamId): string[] {
    const { keys } = this.#context;
    return [keys.streamMeta(id), keys.streamParts(id), keys.streamLog(id)];
  }

  /** What is no record of ours is given back untouched; `claimAny` says what it is. */
  async #asRecord(claim: ClaimedStream): Promise<Claim> {
    if (claim.kind === "held") return { kind: "held", by: claim.by };
    if (claim.kind !== "claimed") return { kind: "absent" };
    if (claim.parsed.kind === "record") return { kind: "claimed", record: claim.parsed.record };
    await this.release({ id: claim.id, fence: claim.fence });
    this.#notice({ stream: claim.id, text: `its record is ${claim.parsed.kind}: it was not taken` });
    return { kind: "absent" };
  }
}

/** Ghosts met in one write: two keys and a path, and room to spare. */
const MOST_GHOSTS = 8;
const GONE = "its record is gone";

function lostDetail(what: string, instead: string): string {
  switch (what) {
    case "gone":
      return GONE;
    case "owner":
      return instead === "" ? "it has no owner any more" : `it belongs to ${instead}`;
    case "fence":
      return `another owner took it meanwhile (fence ${instead})`;
    case "lease":
      return "another process runs under this worker id";
    case "state":
      return `it is ${instead === "" ? "without a status" : instead}`;
    case "revision":
      return `another write came first (revision ${instead})`;
    case "in_use":
      return "its id is in use";
    default:
      return what;
  }
}

function notOurs(record: StreamRecord, worker: string): boolean {
  return record.owner !== undefined && record.owner !== worker;
}

function lostTo(record: StreamRecord): { kind: "lost"; detail: string } {
  return { kind: "lost", detail: `it belongs to ${record.owner}` };
}
