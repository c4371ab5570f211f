/**
 * Every file of the source has at most one running processor here. Sightings wake, state decides: a lost, doubled or
 * late event changes nothing, because the next rescan sees the same files.
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
  /** A path that another file may have come to stand at is free for a stream of its own. */
  freed(path: string): void;
  /** Claims exactly this live stream and resumes it here. */
  takeUp(id: string): Promise<void>;
  /** Takes a failed stream back to work: its file can be read again. */
  heal(id: string): Promise<void>;
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
  /** The streams that run, and the one way to start one. */
  readonly pool: ProcessorPool;
  /** Paths and files being looked at: two sightings of one new file, also under two names, open one stream. */
  readonly #opening = new Set<string>();
  /** Where the files of live streams were seen last, by id, where that is not the path of their record. */
  readonly #sightedAt = new Map<string, string>();
  /** Live streams whose path led to another file. */
  readonly #contested = new Set<string>();
  /** Ids whose entry differed from what runs, at the last comparison. */
  #suspects = new Set<string>();
  #mended = 0;
  /** Second names that were told already. */
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
   * A regular file of a watch that passes its filter. Resolves when what it asks for is under way; with false when that
   * takes a whole walk, because another file was completed under this name. `walked`: one has been made since. A worker
   * that seals what is there and ends still looks: whoever writes may have got the same signal, and renames its files now.
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

  /** While a path is looked at, no other sighting opens a stream for it. `work` is left out where that is so already. */
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
    const at = this.table.at(path);
    const known = judgeKnown(at, facts) !== undefined;
    const { live } = at;
    if (live && !mayBe(live.file, facts)) {
      // Whatever becomes of this file: the stream that holds the path finds out where its own has gone.
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
   * After a whole walk: completed files that were renamed onto each other's names keep their entries, all at once.
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

  /** The stream, live or completed, that has the file seen at this path; `but` asks. */
  async holderOf(path: string, facts: FileFacts, but: string): Promise<StreamId | undefined> {
    const { done } = this.table.at(path);
    if (done && mayBe(done, facts)) return streamId(done.stream_id);
    const whose = await whoseFile(path, facts, this.#whose, but);
    if (whose === undefined || whose.kind === "failed") return undefined;
    return streamId(whose.kind === "done" ? whose.entry.stream_id : whose.id);
  }

  /** Where the file of a live stream was seen last, where that is not its path. */
  sightedAt(id: string): string | undefined {
    return this.#sightedAt.get(id);
  }

  /** It is not there any more. */
  unsight(id: string): void {
    this.#sightedAt.delete(id);
  }

  /** A stream has followed its file. What stands at the path before may have a stream of its own now. */
  followed(record: StreamRecord, before: string): void {
    this.#sightedAt.delete(record.id);
    this.#contested.delete(record.id);
    this.table.setLive(record.original_path, record.id, fileOfRecord(record));
    this.#deps.freed(before);
  }

  /** Times that the table had to be mended. */
  get mended(): number {
    return this.#mended;
  }

  /**
   * No path stays live with a stream that has ended, and no stream runs without its path. What differs twice in a row is
   * a fault of ours: it is mended and said.
   */
  mend(): void {
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
      this.#mended += 1;
      this.#deps.log.warn(
        { stream_id: id, path: displayPath(path), running: record !== undefined },
        "what is known of a path did not agree with the streams that run; it was mended",
      );
    }
    this.#suspects = wrong;
  }

  /** Notes the size of a file that need not be sighted now. Whether there is a stream, or none is needed. */
  measure(path: string, facts: FileFacts): boolean {
    const known = this.table.get(path);
    const running = known?.kind === "live" ? this.running.get(known.id) : undefined;
    running?.processor.measured(facts);
    return known !== undefined;
  }

  /** Something happened to the file of this name: its streams, also those that still bear a temporary name of it, look again. */
  pokeNamed(name: string, temporaryNames: TemporaryNames): boolean {
    const paths = [...this.running.values()].map(({ processor }) => processor.record.original_path);
    const named = paths.filter((path) => path.startsWith(name) && temporaryNames.finalOf(path) === name);
    return [name, ...named].map((path) => this.poke(path)).includes(true);
  }

  /** Something happened at this path: its stream, or that of the file whose marker it is, looks again. */
  poke(path: string): boolean {
    const known = this.table.get(path);
    if (known?.kind !== "live") return false;
    this.running.get(known.id)?.processor.poke();
    return true;
  }

  /** Bytes were written to the file at this path. Whether it has a stream. */
  written(path: string): boolean {
    const known = this.table.get(path);
    if (known?.kind !== "live") return false;
    this.running.get(known.id)?.processor.written();
    return true;
  }

  /** Redis was emptied or came back older: every stream is written back as it is known here, where Redis has less. */
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
      case "heal":
        return await this.#heal(verdict.id, path, facts);
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
    // A writer goes on; anything else is looked at right away.
    if (inode === facts.inode && size !== undefined && size <= facts.size) processor.written();
    else processor.poke();
  }

  /** A file that failed for being missing or unreadable is there again, and can be read. */
  async #heal(id: string, path: string, facts: FileFacts): Promise<void> {
    const { processing, heal, log } = this.#deps;
    const opened = await processing.files.open(path);
    if (opened.kind !== "file") return;
    await opened.file[Symbol.asyncDispose]();
    try {
      await heal(id);
    } catch (error) {
      if (!(error instanceof OwnershipLostError)) throw error;
      log.info({ stream_id: id, detail: error.message }, "a failed stream could not be taken up again");
      return;
    }
    const { record } = this.running.get(id)?.processor ?? {};
    if (record && record.original_path !== path) this.#followLive(id, path, facts);
  }

  /** Only the stream itself changes its path, when it has looked at the file. */
  #followLive(id: string, path: string, facts: FileFacts): void {
    const running = this.running.get(id);
    if (!running) return;
    this.#sightedAt.set(id, path);
    running.processor.measured(facts);
    running.processor.poke();
  }

  /** Resolves with whether a stream of ours was opened. */
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
    // Another worker on the same volume completed it: the next rescan judges it by that.
    if (outcome.kind === "done") this.table.setDone(path, outcome.entry);
    // Another worker on the same volume was first, or we lost our lease: the next rescan asks again.
    if (outcome.kind !== "opened") return false;
    processing.observer.opened(record);
    this.pool.start({ because: "found", record, watch });
    // An empty file that was there first may be no more than this one's placeholder: its stream looks again.
    const final = watch.rules.temporaryNames.finalOf(path);
    if (final !== path) this.poke(final);
    return true;
  }

  /** A failed stream bears this path, and its file is another one, as far as can be told. */
  async #noteReplaced(path: string, facts: FileFacts): Promise<void> {
    const { failed } = this.table.at(path);
    if (failed === undefined) return;
    const now = mayBe(failed, facts) ? "unknown" : "replaced";
    if (now !== failed.source_state) await this.#deps.noteSource(failed, now);
  }

  /** An empty file whose bytes come under a temporary name. Once that is gone it is a file like any other. */
  async #isPlaceholder(watch: Watch, path: string, facts: FileFacts): Promise<boolean> {
    const { temporaryNames: names } = watch.rules;
    if (facts.size > 0 || names.suffixOf(path) !== undefined) return false;
    return (await this.#deps.processing.files.temporaryOf(path, names)) !== undefined;
  }

  /** SLUICE_ON_REPLACE=replace: the newest file at a path takes the key of the one before. */
  #replaces(watch: Watch, path: string): { id: string; key: string } | undefined {
    const entry = this.table.done(path);
    if (watch.rules.onReplace !== "replace" || !entry || entry.s3_bucket !== this.#deps.bucket)
      return undefined;
    return { id: entry.stream_id, key: entry.s3_key };
  }

  /** A stream completed on what it stored, and its file has moved on: what is there now is not kept waiting. */
  async #lookAgain(watch: Watch, path: string): Promise<void> {
    try {
      const look = await this.#deps.processing.files.look(path);
      if (look.kind === "file") await this.sight(watch, path, look.facts);
    } catch (error) {
      // Redis is away: the next rescan finds it.
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
            ? "a file vanished under its temporary name: no failure; its upload is kept for a while"
            : "a stream failed; everything is kept",
        );
        break;
      case "superseded":
        this.#deps.log.info(
          { stream_id: id, path: displayPath(path), superseded_by: outcome.by },
          "another stream has taken this one's place",
        );
        if (outcome.successor) {
          // A file that moved into another watch continues under that one's rules.
          const watch = this.#deps.watchOf(outcome.successor.original_path) ?? running.watch;
          this.pool.start({ because: "successor", record: outcome.successor, watch });
        }
        break;
      case "lost":
        this.#deps.log.warn(
          { stream_id: record.id, detail: outcome.detail },
          "a stream is held by someone else now",
        );
        break;
      // The observer has said why.
      case "removed":
        break;
      case "released":
      case "faulty":
        return;
    }
    // What was seen meanwhile, and had to wait for this stream.
    if (elsewhere !== undefined) this.#deps.freed(elsewhere);
    if (contested) this.#deps.freed(path);
  }
}
