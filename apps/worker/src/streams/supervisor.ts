/**
 * Ensures that every file of the source has at most one running processor here. Sightings wake, state decides: a lost,
 * repeated or late event changes nothing, because the next rescan sees the same files.
 */
import {
  CheckpointError,
  displayPath,
  doneEntry,
  isSetApart,
  pauseBefore,
  isoNow,
  newRecord,
  waitsAtFirst,
  OwnershipLostError,
  streamId,
  type DoneEntry,
  type Outcome,
  type FileFacts,
  type ProcessorDeps,
  type SourceState,
  type StreamId,
  type StreamRecord,
  type TemporaryNames,
} from "@sluice/core";
import { EndedStreams } from "../takeover/ended-streams.ts";
import { CompletedFiles, type FileRegister } from "./completed-files.ts";
import { failedFile, fileOfRecord, PathTable, type FailedFile } from "./path-table.ts";
import { ProcessorPool, type Running } from "./processor-pool.ts";
import { judgeKnown, judgeSighting, mayBe, whoseFile, type Verdict } from "./sighting.ts";
import type { Watch } from "../files/watch/watch.ts";

export interface SupervisorDeps {
  processing: ProcessorDeps;
  register: FileRegister;
  source: string;
  bucket: string;
  rereadBytesPerSecond: number;
  contentType(path: string): string;
  watchOf(path: string): Watch | undefined;
  /** A path where another file may be now is free for a new stream. */
  freed(path: string): void;
  /** Claims exactly this live stream and resumes it here. */
  takeUp(id: string): Promise<void>;
  /** Retries a failed stream because its file can be read again. */
  recover(id: string): Promise<void>;
  /** Where the file of a failed stream is now, for its record and for the table. */
  noteSource(failed: FailedFile, now: SourceState): Promise<void>;
  log: SupervisorLog;
}

export interface SupervisorLog {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

export class Supervisor {
  readonly table = new PathTable();
  readonly ended = new EndedStreams();
  readonly completed: CompletedFiles;
  readonly #deps: SupervisorDeps;
  /** The running streams, and the only way to start one. */
  readonly pool: ProcessorPool;
  /** Paths and files being checked, so that two sightings of a new file, even under two names, open one stream. */
  readonly #opening = new Set<string>();
  /** Where the files of live streams were last seen, by id, if that is not the path of their record. */
  readonly #sightedAt = new Map<string, string>();
  /** Live streams whose path led to another file. */
  readonly #contested = new Set<string>();
  /** Ids whose entry differed from the running streams at the last comparison. */
  #suspects = new Set<string>();
  #corrections = 0;
  /** Second names that were already logged. */
  readonly #aliases = new Set<string>();

  constructor(deps: SupervisorDeps, stop: AbortSignal) {
    const { processing, takeUp, log } = deps;
    this.#deps = deps;
    this.completed = new CompletedFiles({
      ...deps,
      table: this.table,
      whose: (path, facts) => whoseFile(path, facts, this.#whose),
      draining: () => this.pool.draining,
      alone: (path, work) => this.#alone(path, work),
      open: (watch, path, facts, reopened) => this.#open(watch, path, facts, reopened),
    });
    this.pool = new ProcessorPool(
      {
        processing,
        takeUp,
        log,
        onBegin: (record) => {
          this.ended.forget(record.id);
          this.table.setLive(record.original_path, record.id, fileOfRecord(record));
        },
        onEnd: (outcome, running) => this.#onEnd(outcome, running),
      },
      stop,
    );
  }

  get running(): ReadonlyMap<string, Running> {
    return this.pool.running;
  }

  /**
   * Handles a regular file of a watch that passes its filter. Resolves when the necessary work is under way; with false
   * if a whole walk is needed, because another file was completed under this name. `walked`: that walk has been made. A
   * worker that seals and shuts down still handles sightings: the writer may have got the same signal and renames its
   * files now.
   */
  async sight(watch: Watch, path: string, facts: FileFacts, walked = false): Promise<boolean> {
    if (this.pool.draining && !this.pool.sealing) return true;
    const file = `${facts.device}:${facts.inode}`;
    if (this.#opening.has(path) || this.#opening.has(file)) return true;
    this.measure(path, facts);
    for (const name of [path, file]) this.#opening.add(name);
    try {
      const verdict = await this.#judge(path, facts, walked);
      await this.#act(verdict, watch, path, facts);
      return verdict.kind !== "displaced";
    } finally {
      for (const name of [path, file]) this.#opening.delete(name);
    }
  }

  /**
   * While `work` runs, no other sighting opens a stream for the path; `work` is skipped if another call is already
   * running.
   */
  async #alone(path: string, work: () => Promise<void>): Promise<void> {
    if (this.#opening.has(path)) return;
    this.#opening.add(path);
    try {
      await work();
    } finally {
      this.#opening.delete(path);
    }
  }

  async #judge(path: string, facts: FileFacts, walked: boolean): Promise<Verdict> {
    const { live: holder } = this.table.at(path);
    for (const { id } of [...(holder ? [holder] : []), ...this.table.liveOf(facts.inode)]) {
      const running = this.running.get(id);
      if (running) this.table.takeUpFile(running.processor.record);
    }
    const at = this.table.at(path);
    const known = judgeKnown(at, facts) !== undefined;
    const { live } = at;
    if (live && !mayBe(live.file, facts)) {
      // Whatever happens with this file, the stream that holds the path must find out where its own file is.
      this.#contested.add(live.id);
      this.running.get(live.id)?.processor.poke();
    }
    const elsewhere = known ? undefined : await whoseFile(path, facts, this.#whose);
    return judgeSighting({ facts, at, elsewhere, walked });
  }

  get #whose() {
    const { files } = this.#deps.processing;
    const sentBytes = (id: string): number => this.running.get(id)?.processor.record.bytes_sent ?? 0;
    return { table: this.table, files, sentBytes };
  }

  /**
   * After a whole walk, completed files that were renamed to each other's names keep their entries, all at once.
   * `looked`: whether the walk began after another file was first seen at that path, so that it would have found the
   * completed one. Returns what another walk must settle.
   */
  async settle(watch: Watch, paths: readonly string[], looked: (path: string) => boolean): Promise<string[]> {
    const { files } = this.#deps.processing;
    await this.completed.followRenames(paths, looked);
    const left: string[] = [];
    for (const path of paths) {
      const look = await files.look(path);
      if (look.kind !== "file") continue;
      if (!(await this.sight(watch, path, look.facts, looked(path)))) left.push(path);
    }
    return left;
  }

  /** The stream, live or completed, that has the file seen at this path; `but` is excluded. */
  async holderOf(path: string, facts: FileFacts, but: string): Promise<StreamId | undefined> {
    const { done } = this.table.at(path);
    if (done && mayBe(done, facts)) return streamId(done.stream_id);
    const whose = await whoseFile(path, facts, this.#whose, but);
    if (whose === undefined || whose.kind === "failed") return undefined;
    return streamId(whose.kind === "done" ? whose.entry.stream_id : whose.id);
  }

  /** Where the file of a live stream was last seen, if that is not its path. */
  sightedAt(id: string): string | undefined {
    return this.#sightedAt.get(id);
  }

  /** It no longer exists there. */
  unsight(id: string): void {
    this.#sightedAt.delete(id);
  }

  /** A stream has followed its file. The file at its former path may get a stream of its own now. */
  followed(record: StreamRecord, before: string): void {
    this.#sightedAt.delete(record.id);
    this.#contested.delete(record.id);
    this.table.setLive(record.original_path, record.id, fileOfRecord(record));
    this.#deps.freed(before);
  }

  /** How often the table had to be corrected. */
  get corrections(): number {
    return this.#corrections;
  }

  /**
   * No path stays live after its stream has ended, and no stream runs without its path. A difference that is seen twice
   * in a row is a bug: it is corrected and logged.
   */
  correct(): void {
    const wrong = new Set<string>();
    for (const { id } of this.table.live()) if (!this.running.has(id)) wrong.add(id);
    for (const [id, { processor }] of this.running)
      if (this.table.liveById(id)?.path !== processor.record.original_path) wrong.add(id);
    for (const id of wrong) {
      if (!this.#suspects.delete(id)) continue;
      const record = this.running.get(id)?.processor.record;
      const path = this.table.liveById(id)?.path ?? record?.original_path ?? "";
      if (record) this.table.setLive(record.original_path, id, fileOfRecord(record));
      else this.table.clearLive(id);
      wrong.delete(id);
      this.#corrections += 1;
      this.#deps.log.warn(
        { stream_id: id, path: displayPath(path), running: record !== undefined },
        "the table of paths disagreed with the running streams; it was corrected",
      );
    }
    this.#suspects = wrong;
  }

  /** Records the size of a file that need not be handled now. Returns whether it has a stream or needs none. */
  measure(path: string, facts: FileFacts): boolean {
    const known = this.table.get(path);
    const running = known?.kind === "live" ? this.running.get(known.id) : undefined;
    running?.processor.measured(facts);
    return known !== undefined;
  }

  /**
   * Something happened to the file of this name: its streams, also those that still have a temporary name of it, check
   * again.
   */
  pokeNamed(name: string, temporaryNames: TemporaryNames): boolean {
    const paths = [...this.running.values()].map(({ processor }) => processor.record.original_path);
    const named = paths.filter((path) => path.startsWith(name) && temporaryNames.finalOf(path) === name);
    return [name, ...named].map((path) => this.poke(path)).includes(true);
  }

  /** Something happened at this path: its stream, or that of the file to which the marker belongs, checks again. */
  poke(path: string): boolean {
    const known = this.table.get(path);
    if (known?.kind !== "live") return false;
    this.running.get(known.id)?.processor.poke();
    return true;
  }

  /** Bytes were written to the file at this path. Returns whether it has a stream. */
  written(path: string): boolean {
    const known = this.table.get(path);
    if (known?.kind !== "live") return false;
    this.running.get(known.id)?.processor.written();
    return true;
  }

  /**
   * Redis was emptied or restored from an older state: every stream is written back as known here, if Redis has less.
   */
  async writeBack(): Promise<void> {
    this.completed.forgetRereads();
    await this.pool.ensureKept();
  }

  async #act(verdict: Verdict, watch: Watch, path: string, facts: FileFacts): Promise<void> {
    const { log, register } = this.#deps;
    switch (verdict.kind) {
      case "nothing":
      case "displaced":
        return;
      case "poke":
        this.#pokeIfChanged(verdict.id, facts);
        return;
      case "open":
        return void (await this.#open(watch, path, facts, undefined));
      case "completed":
        return await this.completed.act(verdict.entry, verdict.is, { watch, path, facts });
      case "follow_live":
        return this.#followLive(verdict.id, path, facts);
      case "follow_done":
        return await this.completed.move([{ from: verdict.from, to: path, entry: verdict.entry, facts }]);
      case "recover":
        return await this.#recover(verdict.id, path, facts);
      case "lift":
        await register.removeIgnored(path);
        this.table.clearIgnored(path);
        return void (await this.#open(watch, path, facts, undefined));
      case "alias":
        if (this.#aliases.has(path)) return;
        this.#aliases.add(path);
        log.info(
          { path: displayPath(path), of: displayPath(verdict.of) },
          "a second name of a file that is known under its first",
        );
        return;
    }
  }

  #pokeIfChanged(id: string, facts: FileFacts): void {
    const processor = this.running.get(id)?.processor;
    if (processor === undefined) return;
    const { file_size: size, file_mtime_ns: mtimeNs, file_inode: inode } = processor.record;
    if (size === facts.size && mtimeNs === facts.mtimeNs && inode === facts.inode) return;
    // The writer continues; any other change is checked at once.
    if (inode === facts.inode && size !== undefined && size <= facts.size) processor.written();
    else processor.poke();
  }

  /** A file whose stream failed because it was missing or unreadable can be read again. */
  async #recover(id: string, path: string, facts: FileFacts): Promise<void> {
    const { processing, recover, log } = this.#deps;
    const opened = await processing.files.open(path);
    if (opened.kind !== "file") return;
    await opened.file[Symbol.asyncDispose]();
    try {
      await recover(id);
    } catch (error) {
      if (!(error instanceof OwnershipLostError)) throw error;
      log.info({ stream_id: id, detail: error.message }, "a failed stream could not be retried");
      return;
    }
    const { record } = this.running.get(id)?.processor ?? {};
    if (record && record.original_path !== path) this.#followLive(id, path, facts);
  }

  /** Only the stream itself changes its path, after it has checked the file. */
  #followLive(id: string, path: string, facts: FileFacts): void {
    const running = this.running.get(id);
    if (!running) return;
    this.#sightedAt.set(id, path);
    running.processor.measured(facts);
    running.processor.poke();
  }

  /** Resolves with whether this worker opened a stream. */
  async #open(
    watch: Watch,
    path: string,
    facts: FileFacts,
    reopened: DoneEntry | undefined,
  ): Promise<boolean> {
    const { processing, source, bucket, contentType } = this.#deps;
    if (await this.#isPlaceholder(watch, path, facts)) return false;
    await this.#noteReplaced(path, facts);
    const longestPauseMs = reopened && pauseBefore(reopened, facts);
    const record = newRecord({
      id: processing.newId(),
      path,
      source,
      watch: watch.name,
      bucket,
      keyPrefix: watch.keyPrefix,
      contentType: contentType(watch.rules.temporaryNames.finalOf(path)),
      verify: watch.rules.verify,
      plan: watch.rules.plan,
      owner: processing.worker.id,
      nowUtc: isoNow(processing.clock),
      facts,
      supersedes: reopened ? { id: reopened.stream_id, key: reopened.s3_key } : this.#replaces(watch, path),
      longestPauseMs,
      waiting: waitsAtFirst(path, facts, watch.rules, processing, longestPauseMs),
    });
    await processing.failpoint?.("file_seen");
    const knownDone = this.table.done(path)?.stream_id ?? "";
    const outcome = await processing.checkpoints.open({ record, log: ["file found"], knownDone });
    // Another worker on the same volume completed it: the next rescan decides from that.
    if (outcome.kind === "done") this.table.setDone(path, outcome.entry);
    // Another worker on the same volume was first, or this worker lost its lease: the next rescan tries again.
    if (outcome.kind !== "opened") return false;
    processing.observer.opened(record);
    this.pool.start({ because: "found", record, watch });
    // An empty file that was there before may be just this one's placeholder: its stream checks again.
    const final = watch.rules.temporaryNames.finalOf(path);
    if (final !== path) this.poke(final);
    return true;
  }

  /** A failed stream has this path, and its file is another one, as far as is known. */
  async #noteReplaced(path: string, facts: FileFacts): Promise<void> {
    const { failed } = this.table.at(path);
    if (failed === undefined) return;
    const now = mayBe(failed, facts) ? "unknown" : "replaced";
    if (now !== failed.source_state) await this.#deps.noteSource(failed, now);
  }

  /**
   * An empty file whose content arrives under a temporary name. Once the temporary file is gone it is an ordinary file.
   */
  async #isPlaceholder(watch: Watch, path: string, facts: FileFacts): Promise<boolean> {
    const { temporaryNames: names } = watch.rules;
    if (facts.size > 0 || names.suffixOf(path) !== undefined) return false;
    return (await this.#deps.processing.files.temporaryOf(path, names)) !== undefined;
  }

  /** SLUICE_ON_REPLACE=replace: the newest file at a path gets the key of the one before. */
  #replaces(watch: Watch, path: string): { id: string; key: string } | undefined {
    const entry = this.table.done(path);
    if (watch.rules.onReplace !== "replace" || !entry || entry.s3_bucket !== this.#deps.bucket)
      return undefined;
    return { id: entry.stream_id, key: entry.s3_key };
  }

  /** A stream completed what it had stored, but its file has changed: the current content is handled at once. */
  async #lookAgain(watch: Watch, path: string): Promise<void> {
    try {
      const look = await this.#deps.processing.files.look(path);
      if (look.kind === "file") await this.sight(watch, path, look.facts);
    } catch (error) {
      // Redis is unavailable: the next rescan finds the file.
      if (!(error instanceof CheckpointError)) throw error;
    }
  }

  async #onEnd(outcome: Outcome | { kind: "faulty" }, running: Running): Promise<void> {
    const { record } = running.processor;
    const { original_path: path, id } = record;
    this.table.clearLive(id);
    const elsewhere = this.#sightedAt.get(id);
    this.#sightedAt.delete(id);
    const contested = this.#contested.delete(id);
    if (outcome.kind === "completed" || outcome.kind === "failed" || outcome.kind === "superseded")
      this.ended.remember(record, running.processor.parts);
    switch (outcome.kind) {
      case "completed":
        this.table.setDone(path, doneEntry(record, record.completed_at_utc ?? ""));
        if (outcome.unseen) this.completed.keep(path, id, running.watch);
        if (outcome.changed) await this.#lookAgain(running.watch, path);
        break;
      case "failed":
        this.table.setFailed(path, failedFile(record, outcome.reason));
        this.#deps.log[isSetApart(record) ? "info" : "warn"](
          { stream_id: record.id, path, reason: outcome.reason, detail: record.failure_detail },
          isSetApart(record)
            ? "a file vanished under its temporary name: not a failure; its upload is kept for a while"
            : "a stream failed; everything is kept",
        );
        break;
      case "superseded":
        this.#deps.log.info(
          { stream_id: id, path: displayPath(path), superseded_by: outcome.by },
          "another stream has replaced this one",
        );
        if (outcome.successor) {
          // A file that moved into another watch continues under the rules of that watch.
          const watch = this.#deps.watchOf(outcome.successor.original_path) ?? running.watch;
          this.pool.start({ because: "successor", record: outcome.successor, watch });
        }
        break;
      case "lost":
        this.#deps.log.warn(
          { stream_id: record.id, detail: outcome.detail },
          "another worker holds the stream now",
        );
        break;
      // The observer has logged the reason.
      case "removed":
        break;
      case "released":
      case "faulty":
        return;
    }
    // A file that was seen meanwhile and had to wait for this stream.
    if (elsewhere !== undefined) this.#deps.freed(elsewhere);
    if (contested) this.#deps.freed(path);
  }
}
