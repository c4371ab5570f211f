/**
 * Core's CheckpointStore on Redis. Each write is one script that checks lease, owner, fence, state and revision, so a
 * worker that lost a stream cannot write it, and a command sent twice changes nothing. Concurrent writes of different
 * streams share a round trip (auto-pipelining); those of one stream are sequential.
 */
import {
  CheckpointError,
  streamId,
  type CheckpointStore,
  type Claim,
  type NewStream,
  type Older,
  type OpenOutcome,
  type Parts,
  type SourceState,
  type StreamId,
  type StreamRecord,
  type StreamWrite,
  type WebhookEvent,
  type WriteOutcome,
  type WrittenBack,
} from "@sluice/core";
import type { SchemaContext, WorkerIdentity } from "./context.ts";
import { KEPT } from "./kept.ts";
import { claimStreams, type ClaimedStream } from "./stream-claims.ts";
import { parseDone } from "./records/file-entries.ts";
import { parseParts } from "./records/part.ts";
import { fromBuffers } from "./records/text.ts";
import { callRedis, isOfStream, replyName } from "./replies.ts";
import { runScript, SCRIPTS } from "./scripts.ts";
import { changeArgs, createArgs, list, logLines, statusesOf, type StoreWrite } from "./stream-change.ts";
import { writeStreamBack } from "./stream-write-back.ts";
import { GONE, OLDER, sendCommand, type CommandAnswer, type StreamCommand } from "./stream-command.ts";

/** A problem that does not fail the stream, but should be logged. */
export interface StoreNotice {
  stream: StreamId;
  text: string;
}

/** A short problem refuses a write once or twice; from this number on it is reported. */
const OFTEN = 5;

/** The outcome of a write that may also find another stream at its path. */
type ChangeOutcome = WriteOutcome | { kind: "path_taken"; by: string };

export class StreamStore implements CheckpointStore {
  readonly #context: SchemaContext;
  readonly #identity: WorkerIdentity;
  readonly #notice: (notice: StoreNotice) => void;
  /** The events that webhooks send. */
  readonly webhookEvents: readonly WebhookEvent[];
  /** Nonces of leases whose process is known to be gone; a claim need not wait for them to lapse. */
  readonly #dead = new Set<string>();
  /** Streams whose last write Redis refused: how often in a row, and why. */
  readonly #refused = new Map<StreamId, { times: number; reason: string }>();

  constructor(
    context: SchemaContext,
    identity: WorkerIdentity,
    notice: (notice: StoreNotice) => void = () => undefined,
    webhookEvents: readonly WebhookEvent[] = [],
  ) {
    this.#context = context;
    this.#identity = identity;
    this.#notice = notice;
    this.webhookEvents = webhookEvents;
  }

  /** Streams whose record Redis has repeatedly refused to write, and why. */
  get refusing(): ReadonlyMap<StreamId, string> {
    const often = [...this.#refused].filter(([, { times }]) => times >= OFTEN);
    return new Map(often.map(([id, { reason }]) => [id, reason]));
  }

  /** The process of this lease ran on this host and is gone: its streams may be claimed at once. */
  markDead(nonce: string): void {
    this.#dead.add(nonce);
  }

  async open(stream: NewStream): Promise<OpenOutcome> {
    const { record, replacing, knownDone } = stream;
    const now = this.#context.clock.wallMs();
    const worker = this.#identity.workerId;
    if (replacing && notOurs(replacing.record, worker)) return lostTo(replacing.record);
    const { ofStream } = this.#context.keys;
    const args = [
      createArgs(record, stream.log, worker, now),
      replacing
        ? ["1", ...changeArgs(replacing.record, replacing.write, worker, now, [], this.webhookEvents)]
        : ["0"],
      list(knownDone === undefined ? [] : [knownDone]),
    ];
    const { name, value } = await this.#send(
      {
        script: SCRIPTS.openStream,
        keys: [...ofStream(record.id), ...(replacing ? ofStream(replacing.record.id) : [])],
        args: args.flat(),
      },
      ["opened", "taken", "done", "key_taken", "path_taken"],
      replacing?.record.id,
    );
    switch (name) {
      case "opened":
        return { kind: name };
      case "taken":
        return { kind: name, by: streamId(value) };
      case "done":
        return await this.#openUnlessDone(stream, value);
      case "lost":
        return olderOr({ kind: name, detail: value });
      case "key_taken":
      case "path_taken":
        return { kind: "lost", detail: `the replaced stream's write was refused: ${name} by ${value}` };
    }
  }

  /** An entry that cannot be parsed counts as missing: the store is asked instead. */
  async #openUnlessDone(stream: NewStream, entry: string): Promise<OpenOutcome> {
    const parsed = parseDone(entry);
    if (parsed.kind === "ok") return { kind: "done", entry: parsed.value };
    const { record, log, replacing } = stream;
    return await this.open({ record, log, ...(replacing === undefined ? {} : { replacing }) });
  }

  async write(record: StreamRecord, write: StreamWrite): Promise<WriteOutcome> {
    const outcome = await this.#change(record, write);
    if (outcome.kind === "path_taken") return { kind: "lost", detail: `stream ${outcome.by} has its path` };
    return outcome;
  }

  rename(record: StreamRecord, newPath: string, write: StreamWrite): Promise<ChangeOutcome> {
    return this.#change(record, { ...write, newPath });
  }

  /**
   * Completes a claimed record of an early version: all fields, its path and its parts in one step. `record` has the
   * fence and revision of the claim; the stored status may be missing.
   */
  adopt(record: StreamRecord, write: StreamWrite): Promise<ChangeOutcome> {
    const { id: _, fence: __, revision: ___, owner: ____, ...fields } = record;
    return this.#change(record, { ...write, patch: { ...fields, ...write.patch }, takePath: true }, [""]);
  }

  async claim(ids: readonly StreamId[]): Promise<Claim[]> {
    const claims = await this.claimAny(ids);
    return Promise.all(claims.map((claim) => this.#asRecord(claim)));
  }

  /**
   * As `claim`, but returns what each stream is. `owners`: the owners as just read, which saves a round trip. At most
   * three round trips for the whole list.
   */
  claimAny(ids: readonly StreamId[], owners?: ReadonlyMap<StreamId, string>): Promise<ClaimedStream[]> {
    return claimStreams(this.#context, this.#identity, { ids, owners, dead: [...this.#dead] });
  }

  /** For a retry. A stream that is live by then is `ended`: it stays with its owner, even if that is this worker. */
  async claimFailed(id: StreamId): Promise<ClaimedStream> {
    const request = { ids: [id], owners: undefined, dead: [...this.#dead], failedOnly: true };
    const [claim] = await claimStreams(this.#context, this.#identity, request);
    return claim ?? { id, kind: "absent" };
  }

  async release(record: Pick<StreamRecord, "id" | "fence">): Promise<void> {
    const { keys } = this.#context;
    const { workerId, nonce } = this.#identity;
    const now = this.#context.clock.wallMs();
    const detail = `released by ${workerId}`;
    await runScript(
      this.#context.redis,
      SCRIPTS.releaseStream,
      [keys.worker(workerId), keys.streamMeta(record.id), keys.streamLog(record.id), keys.events],
      [
        [nonce, workerId, now, KEPT.logEntries, KEPT.events, record.id, record.fence],
        logLines([detail], workerId, now),
        detail,
      ],
    );
  }

  /** Where the file of a failed stream is now. False: it is no failed stream, or somebody works on it now. */
  async noteSource(id: string, status: string, seen: SourceState): Promise<boolean> {
    const { redis, keys, clock } = this.#context;
    const { workerId, nonce } = this.#identity;
    const reply = await runScript(
      redis,
      SCRIPTS.noteSource,
      [keys.worker(workerId), keys.streamMeta(id), keys.events],
      [[nonce, workerId, clock.wallMs(), KEPT.events, id, seen], list(statusesOf(["failed"], status))],
    );
    const name = replyName(reply, ["noted", "same", "changed", "lapsed", "lost"]);
    if (name === "lapsed" || name === "lost")
      throw new CheckpointError(`the lease of ${workerId} is not ours now (${name})`);
    return name !== "changed";
  }

  async parts(id: StreamId): Promise<Parts> {
    const { redis, keys } = this.#context;
    const hash = await callRedis("read parts", () => redis.hgetallBuffer(keys.streamParts(id)));
    const { parts, bad } = parseParts(fromBuffers(hash));
    for (const { field, detail } of bad)
      this.#notice({ stream: id, text: `part ${field} is left out: ${detail}` });
    return parts;
  }

  writeBack(record: StreamRecord, parts: Parts): Promise<WrittenBack> {
    return writeStreamBack(this.#context, this.#identity, record, parts);
  }

  async #change(
    record: StreamRecord,
    write: StoreWrite,
    alsoFrom: readonly string[] = [],
  ): Promise<ChangeOutcome> {
    const worker = this.#identity.workerId;
    if (notOurs(record, worker)) return lostTo(record);
    const args = changeArgs(
      record,
      write,
      worker,
      this.#context.clock.wallMs(),
      alsoFrom,
      this.webhookEvents,
    );
    const { name, value } = await this.#send(
      { script: SCRIPTS.writeStream, keys: this.#context.keys.ofStream(record.id), args },
      ["written", "key_taken", "path_taken"],
      record.id,
    );
    if (name === "written") return { kind: name };
    // A repeated removal finds nothing the second time, which is the intended result.
    if (name === "lost")
      return write.remove && value === GONE ? { kind: "written" } : olderOr({ kind: name, detail: value });
    return { kind: name, by: value };
  }

  /** A stream is released if one of its own keys holds another type; the next read shows the problem. */
  async #send<Name extends string>(
    command: StreamCommand,
    names: readonly Name[],
    id: StreamId | undefined,
  ): Promise<CommandAnswer<Name>> {
    try {
      const answer = await sendCommand(this.#context, this.#identity, command, names);
      if (id !== undefined) this.#refused.delete(id);
      return answer;
    } catch (error) {
      if (id === undefined) throw error;
      if (isOfStream(error, this.#context, id)) return { name: "lost", value: error.message };
      if (error instanceof CheckpointError) {
        const times = (this.#refused.get(id)?.times ?? 0) + 1;
        this.#refused.set(id, { times, reason: error.message });
      }
      throw error;
    }
  }

  /** A stream without a usable record is released unchanged; `claimAny` returns what it is. */
  async #asRecord(claim: ClaimedStream): Promise<Claim> {
    if (claim.kind === "held") return { kind: "held", by: claim.by };
    if (claim.kind !== "claimed") return { kind: "absent" };
    if (claim.parsed.kind === "record") return { kind: "claimed", record: claim.parsed.record };
    await this.release({ id: claim.id, fence: claim.fence });
    this.#notice({ stream: claim.id, text: `its record is ${claim.parsed.kind}: it was not taken` });
    return { kind: "absent" };
  }
}

/** Recognized by its text, which only these two answers have. */
function olderOr(lost: { kind: "lost"; detail: string }): Older | { kind: "lost"; detail: string } {
  const { detail } = lost;
  return detail === GONE || detail === OLDER ? { kind: "older", gone: detail === GONE, detail } : lost;
}

function notOurs(record: StreamRecord, worker: string): boolean {
  return record.owner !== undefined && record.owner !== worker;
}

function lostTo(record: StreamRecord): { kind: "lost"; detail: string } {
  return { kind: "lost", detail: `it belongs to ${record.owner}` };
}
