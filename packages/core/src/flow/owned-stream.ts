/**
 * One stream in its owner's memory: the record and its parts, always equal to what Redis last confirmed. Writes are
 * sequential; parts acknowledged meanwhile share the next write.
 */
import { CheckpointError, OwnershipLostError } from "../errors.ts";
import { parsePlan, type PartPlan } from "../stream/part-plan.ts";
import { assert } from "../assert.ts";
import type {
  CheckpointStore,
  Older,
  StreamWrite,
  WriteOutcome,
  WrittenBack,
} from "../ports/checkpoint-store.ts";
import { isoNow, type Clock } from "../ports/clock.ts";
import { bothDoubts, protectedBytes, type Doubt } from "../stream/safeguard.ts";
import { Growth, onWall, type FirstHad, type Moment } from "../stream/growth.ts";
import type { FileFacts } from "../stream/identity.ts";
import type { Part, RecordPatch, StreamRecord } from "../stream/record.ts";
import { patched } from "../stream/record.ts";
import { apply, kindOf, kindsThatMay, type Event, type Kind, type Status } from "../stream/state.ts";
import type { Lease, Recovery } from "./dependencies.ts";
import { backoffMs } from "./retry.ts";
import { finishedPrefix, isTail } from "../stream/checkpoint.ts";

export interface OwnedStreamDeps {
  checkpoints: CheckpointStore;
  clock: Clock;
  random: () => number;
  recovery: Recovery;
  /** Present: tails go up too, and the record says how much of the file is protected. */
  safeguard?: object | undefined;
}

const SAME_SINCE_MS = 1_000;

type Change = Omit<StreamWrite, "from"> & { from?: readonly Kind[] };

export class OwnedStream {
  #record: StreamRecord;
  readonly #parts: Map<number, Part>;
  readonly #deps: OwnedStreamDeps;
  readonly #signal: AbortSignal;
  #tail: Promise<unknown> = Promise.resolve();
  #waitingParts: Part[] = [];
  #notes: RecordPatch = {};
  #riding: RecordPatch = {};
  readonly #keysTaken = new Set<string>();
  /** Parsed once for each text. */
  #plan: { text: string; plan: PartPlan } | undefined;
  #partsSave: Promise<void> | undefined;
  /** When Redis last confirmed all this. */
  #confirmedAtMs: number;
  readonly #growth: Growth;
  #doubt: Doubt | undefined;
  /** When the request for that confirmation was sent: it cannot have become ours before. */
  #askedAtMs: number;
  #ownedAtMs: number;

  /** `signal`: ends the wait for a Redis that does not answer. */
  constructor(record: StreamRecord, parts: Iterable<Part>, deps: OwnedStreamDeps, signal: AbortSignal) {
    this.#record = record;
    this.#parts = new Map([...parts].map((part) => [part.PartNumber, part]));
    this.#deps = deps;
    this.#signal = signal;
    this.#confirmedAtMs = deps.clock.monotonicMs();
    this.#growth = Growth.from(record, this.#now());
    this.#askedAtMs = this.#confirmedAtMs;
    this.#ownedAtMs = this.#confirmedAtMs;
  }

  get record(): StreamRecord {
    return this.#record;
  }

  get parts(): ReadonlyMap<number, Part> {
    return this.#parts;
  }

  get kind(): Kind {
    const kind = kindOf(this.#record.status);
    assert(kind, `status ${this.#record.status} is known`);
    return kind;
  }

  get plan(): PartPlan {
    const { part_plan: text } = this.#record;
    if (this.#plan?.text !== text) {
      const plan = parsePlan(text);
      assert(plan, `part plan ${text} is readable`);
      this.#plan = { text, plan };
    }
    return this.#plan.plan;
  }

  /** Whether this process took these S3 keys for the stream, and has not released them. */
  holdsKeys(keys: readonly string[]): boolean {
    return keys.every((key) => this.#keysTaken.has(key));
  }

  /** End of the last acknowledged byte, gaps included: the file must not be shorter. */
  get sentEnd(): number {
    let end = 0;
    for (const part of this.#parts.values()) end = Math.max(end, part.Offset + part.Size);
    return end;
  }

  /** Called with the file's size after each check, also while nothing can be written. */
  measured(facts: FileFacts): void {
    this.#growth.see(facts, this.#now(), this.#record.bytes_sent);
  }

  /** The largest size that the file was seen with. */
  get sizeSeen(): number {
    return this.#growth.size;
  }

  /** When the file first was longer than this many bytes. */
  firstPast(bytes: number): FirstHad | undefined {
    return this.#growth.firstPast(bytes);
  }

  /** A short part's request may still be carried out: nothing under its number counts as protected. */
  doubts(doubt: Doubt): void {
    this.#doubt = bothDoubts(this.#doubt, doubt);
  }

  get doubt(): Doubt | undefined {
    return this.#doubt;
  }

  /** S3 was asked after the deadline, and has what the checkpoint says. */
  async certain(): Promise<void> {
    this.#doubt = undefined;
    await this.update({ patch: {} });
  }

  /** Bytes that survive the loss of the host. */
  get protectedBytes(): number {
    return protectedBytes(this.#record.bytes_sent, this.plan, this.#doubt);
  }

  /**
   * False once the lease was lost, and taken again, since Redis last confirmed this stream: another worker may have it.
   */
  isOursStill({ heldSinceMs }: Pick<Lease, "heldSinceMs">): boolean {
    return this.#ownedAtMs >= heldSinceMs;
  }

  /** Asks Redis if that is in doubt; rejects with OwnershipLostError if another worker took the stream. */
  async confirmOurs(lease: Pick<Lease, "heldSinceMs">): Promise<void> {
    if (!this.isOursStill(lease)) await this.update({ patch: {} });
  }

  /** Saves fields that need no write of their own together with the next write. */
  note(patch: RecordPatch): void {
    Object.assign(this.#notes, patch);
  }

  /** As `note`, but never causes a write. */
  ride(patch: RecordPatch): void {
    Object.assign(this.#riding, patch);
  }

  get hasNotes(): boolean {
    return Object.keys(this.#notes).length > 0;
  }

  /** A change within the present state. */
  async update(change: Change): Promise<void> {
    const outcome = await this.#exclusively(() => this.#write({ from: [this.kind], ...change }));
    this.#mustBeWritten(outcome);
  }

  /** As `update`, but a key that another stream holds is a result. */
  async tryUpdate(change: Change): Promise<{ kind: "written" } | { kind: "key_taken"; by: string }> {
    const outcome = await this.#exclusively(() => this.#write({ from: [this.kind], ...change }));
    if (outcome.kind === "key_taken") return outcome;
    this.#mustBeWritten(outcome);
    return { kind: "written" };
  }

  /** A legal move of the state machine; `status` only for failures. */
  async move(event: Event, change: Omit<Change, "from">, status?: Status): Promise<void> {
    await this.update(this.#asMove(event, change, status));
  }

  /** As `move`, but a key that another stream holds is a result. */
  async tryMove(
    event: Event,
    change: Omit<Change, "from">,
  ): Promise<{ kind: "written" } | { kind: "key_taken"; by: string }> {
    return await this.tryUpdate(this.#asMove(event, change));
  }

  #asMove(event: Event, change: Omit<Change, "from">, status?: Status): Change {
    const next = apply(this.kind, event);
    // Complete named every part by its ETag; an upload that is given up takes its parts along.
    if (next === "s3_completed" || event === "restarted") this.#doubt = undefined;
    assert(next !== "failed" || status?.startsWith("failed_"), "a failure names its reason");
    const detail = change.event?.detail ?? change.log?.at(-1) ?? event;
    return {
      ...change,
      from: kindsThatMay(event),
      patch: {
        ...change.patch,
        status: next === "failed" ? (status as Status) : next,
        last_activity_at_utc: isoNow(this.#deps.clock),
      },
      event: { type: "state", detail },
    };
  }

  /** Resolves when the part is in the checkpoint. Parts that wait together are saved together. */
  savePart(part: Part): Promise<void> {
    this.#waitingParts.push(part);
    this.#partsSave ??= this.#exclusively(() => this.#saveWaitingParts());
    return this.#partsSave;
  }

  /** After a rename inside the watch. */
  async rename(
    newPath: string,
    change: Omit<Change, "from">,
  ): Promise<{ kind: "written" } | { kind: "path_taken"; by: string }> {
    const outcome = await this.#exclusively(async () => {
      const write: StreamWrite = { from: [this.kind], ...change };
      const answer = await this.#believed(() => this.#deps.checkpoints.rename(this.#record, newPath, write));
      if (answer.kind === "written")
        this.#confirm({ ...write, patch: { ...write.patch, original_path: newPath } });
      return answer;
    });
    if (outcome.kind === "path_taken") return outcome;
    this.#mustBeWritten(outcome);
    return { kind: "written" };
  }

  /** The stream and its path pass to a new generation, in one atomic step. */
  async replaceBy(successor: StreamRecord, log: string[], change: Omit<Change, "from">): Promise<void> {
    await this.#exclusively(async () => {
      const write: StreamWrite = { from: [this.kind], ...change };
      const outcome = await this.#believed(() =>
        this.#deps.checkpoints.open({ record: successor, log, replacing: { record: this.#record, write } }),
      );
      if (outcome.kind !== "opened") {
        throw new OwnershipLostError(
          outcome.kind === "lost" || outcome.kind === "older"
            ? outcome.detail
            : `its path is ${outcome.kind}`,
        );
      }
      this.#confirm(write);
    });
  }

  /** Releases the stream without a change, so that another worker may take it at once. */
  async release(): Promise<void> {
    await this.#exclusively(() => this.#deps.checkpoints.release(this.#record));
  }

  /** Redis may have lost what it confirmed: what is known here is written back if it has less. */
  async ensureKept(): Promise<WrittenBack> {
    return await this.#exclusively(() => this.#writeBack());
  }

  async #writeBack(): Promise<WrittenBack> {
    const outcome = await this.persistently(() =>
      this.#deps.checkpoints.writeBack(this.#record, this.#parts),
    );
    if (outcome.kind === "written") this.#record = { ...this.#record, fence: outcome.fence };
    if (outcome.kind !== "lost") {
      this.#confirmedAtMs = this.#deps.clock.monotonicMs();
      this.#ownedAtMs = this.#askedAtMs;
    }
    return outcome;
  }

  async #saveWaitingParts(): Promise<void> {
    const parts = this.#waitingParts;
    this.#waitingParts = [];
    this.#partsSave = undefined;
    const after = new Map(this.#parts);
    for (const part of parts) after.set(part.PartNumber, part);
    const prefix = finishedPrefix(after, this.plan);
    const bytes = parts.reduce((sum, part) => sum + this.#newBytes(part), 0);
    const outcome = await this.#write({
      from: [this.kind],
      parts,
      patch: {
        next_part: prefix.nextPart,
        bytes_sent: prefix.bytes,
        last_activity_at_utc: isoNow(this.#deps.clock),
      },
      event: { type: "progress" },
      stats: {
        bytes_sent: bytes,
        parts: parts.length,
        retries: parts.reduce((sum, part) => sum + (part.Attempts ?? 1) - 1, 0),
      },
    });
    this.#mustBeWritten(outcome);
  }

  /** What a part adds to what went up: a tail that is replaced went up before, and copied bytes never did. */
  #newBytes(part: Part): number {
    if (part.Copied) return 0;
    const before = this.#parts.get(part.PartNumber);
    return before && isTail(before, this.plan) ? Math.max(0, part.Size - before.Size) : part.Size;
  }

  async #write(change: StreamWrite): Promise<WriteOutcome> {
    const notes = this.#notes;
    const riding = this.#riding;
    this.#notes = {};
    this.#riding = {};
    const patch: RecordPatch = { ...riding, ...notes, ...change.patch };
    Object.assign(patch, this.#protection(patch));
    const grown = typeof patch.file_size === "number" ? patch.file_size - this.#record.file_size : 0;
    const write: StreamWrite = {
      ...change,
      patch,
      ...(grown > 0 ? { stats: { ...change.stats, bytes_in: grown } } : {}),
    };
    const outcome = await this.#believed(() => this.#deps.checkpoints.write(this.#record, write));
    if (outcome.kind === "written") this.#confirm(write);
    // Fields that were not written are saved with the next write, unless newer values were noted meanwhile.
    else this.#notes = { ...notes, ...this.#notes };
    return outcome;
  }

  /** Part of every write, so that it is known after a restart and to readers of a stream without an owner. */
  #protection(patch: RecordPatch): RecordPatch {
    const sent = patch.bytes_sent ?? this.#record.bytes_sent;
    // An upload that begins again, under whatever plan, is in no doubt.
    const bytes = this.#doubt === undefined ? sent : protectedBytes(sent, this.plan, this.#doubt);
    const upload = patch.s3_upload_id ?? this.#record.s3_upload_id;
    return { ...this.#protectedBytes(bytes, upload), ...this.#unprotectedSince(bytes) };
  }

  /** From the upload's beginning on: it shows the next owner that a tail may be in flight. */
  #protectedBytes(bytes: number, upload: string | undefined): RecordPatch {
    const { protected_bytes: known } = this.#record;
    if (this.#deps.safeguard === undefined && this.#doubt === undefined)
      return known === undefined ? {} : { protected_bytes: null, protected_at_utc: null };
    if (bytes === known || (known === undefined && upload === undefined)) return {};
    const gained = bytes > (known ?? 0);
    return { protected_bytes: bytes, ...(gained ? { protected_at_utc: isoNow(this.#deps.clock) } : {}) };
  }

  #unprotectedSince(bytes: number): Pick<RecordPatch, "unprotected_since_utc"> {
    const { unprotected_since_utc: known } = this.#record;
    const first = this.#growth.firstPast(bytes);
    if (first === undefined) return known === undefined ? {} : { unprotected_since_utc: null };
    const sinceMs = Math.floor(onWall(first.atMs, this.#now()));
    // The clocks drift apart by less than that.
    if (known !== undefined && Math.abs(Date.parse(known) - sinceMs) < SAME_SINCE_MS) return {};
    return { unprotected_since_utc: new Date(sinceMs).toISOString() };
  }

  #now(): Moment {
    const { clock } = this.#deps;
    return { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
  }

  /**
   * What is in memory takes precedence over a Redis that has less than it confirmed: it is written back, and the write
   * is repeated.
   */
  async #believed<T extends { kind: string }>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      const outcome = await this.persistently(call);
      if (!isOlder(outcome)) return outcome;
      const { gone } = outcome;
      const confirmedAtMs = this.#confirmedAtMs;
      const wentBack = await this.persistently(() => this.#deps.recovery.wentBack({ gone, confirmedAtMs }));
      if (!wentBack) return outcome;
      const back = await this.#writeBack();
      if (back.kind === "lost") throw new OwnershipLostError(back.detail);
    }
  }

  #confirm(write: StreamWrite): void {
    this.#confirmedAtMs = this.#deps.clock.monotonicMs();
    this.#ownedAtMs = this.#askedAtMs;
    const patch: RecordPatch = write.patch;
    this.#record = { ...patched(this.#record, patch), revision: this.#record.revision + 1 };
    if (write.dropParts) this.#parts.clear();
    for (const part of write.parts ?? []) this.#parts.set(part.PartNumber, part);
    for (const key of write.takeKeys ?? []) this.#keysTaken.add(key);
    for (const key of write.releaseKeys ?? []) this.#keysTaken.delete(key);
  }

  /** Waits while Redis is unavailable; the same write is sent again until it is answered. */
  async persistently<T>(call: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#askedAtMs = this.#deps.clock.monotonicMs();
        return await call();
      } catch (error) {
        if (!(error instanceof CheckpointError) || this.#signal.aborted) throw error;
        await this.#deps.clock.sleep(backoffMs(attempt, this.#deps.random()), this.#signal);
      }
    }
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#tail.then(work, work);
    this.#tail = mine.catch(() => undefined);
    return mine;
  }

  #mustBeWritten(outcome: WriteOutcome | { kind: "path_taken" }): void {
    if (outcome.kind === "lost" || outcome.kind === "older") throw new OwnershipLostError(outcome.detail);
    assert(outcome.kind === "written", `unexpected outcome ${outcome.kind} of a write`);
  }
}

function isOlder(outcome: { kind: string }): outcome is Older {
  return outcome.kind === "older";
}
