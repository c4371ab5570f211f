/**
 * Every file of the source has at most one running processor here. Sightings wake, state decides: a lost, doubled or
 * late event changes nothing, because the next rescan sees the same files.
 */
import {
  displayPath,
  doneEntry,
  isSetApart,
  isoNow,
  newRecord,
  waitsAtFirst,
  type Ending,
  type FileFacts,
  type Part,
  type ProcessorDeps,
  type StreamRecord,
  type TemporaryNames,
} from "@sluice/core";
import { identityOf, identityOfRecord, PathTable } from "./path-table.ts";
import { ProcessorPool, type Running } from "./processor-pool.ts";
import { judgeSighting, type OtherName, type Verdict } from "./sighting.ts";
import type { Watch } from "./watch.ts";

/** What the supervisor needs of Redis beside the processors' checkpoint. */
export interface FileRegister {
  moveDone(from: string, to: string): Promise<void>;
  removeIgnored(path: string): Promise<void>;
}

export interface SupervisorDeps {
  processing: ProcessorDeps;
  register: FileRegister;
  source: string;
  bucket: string;
  contentType(path: string): string;
  /** Claims a live stream and resumes it here. */
  takeUp(id: string): Promise<void>;
  /** Takes a failed stream back to work, as an operator's retry would. */
  retry(id: string): Promise<void>;
  log: SupervisorLog;
}

export interface SupervisorLog {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

export class Supervisor {
  readonly table = new PathTable();
  readonly #deps: SupervisorDeps;
  readonly #pool: ProcessorPool;
  /** Streams being opened, by path: two sightings of one new file open one stream. */
  readonly #opening = new Set<string>();
  /** New paths of renamed streams, by id, until their processor asks. */
  readonly #renamed = new Map<string, string>();
  readonly #reopened = new Map<string, number>();
  /** Second names that were told already. */
  readonly #aliases = new Set<string>();

  constructor(deps: SupervisorDeps, stop: AbortSignal) {
    const { processing, takeUp, log } = deps;
    this.#deps = deps;
    this.#pool = new ProcessorPool(
      {
        processing,
        takeUp,
        log,
        onBegin: (record) => this.table.setLive(record.original_path, record.id, identityOfRecord(record)),
        onEnd: (ending, running) => this.#onEnd(ending, running),
      },
      stop,
    );
  }

  get running(): ReadonlyMap<string, Running> {
    return this.#pool.running;
  }

  /** Files that grew again after they were completed, by watch: the overview asks whether the idle time is too short. */
  get reopened(): ReadonlyMap<string, number> {
    return this.#reopened;
  }

  /** A regular file of a watch that passes its filter. Resolves when what it asks for is under way. */
  async sight(watch: Watch, path: string, facts: FileFacts): Promise<void> {
    if (this.#pool.draining || this.#opening.has(path)) return;
    this.measure(path, facts);
    this.#opening.add(path);
    try {
      const identity = identityOf(facts);
      const known = this.table.get(path);
      const verdict = judgeSighting({
        facts,
        known,
        live: known ? undefined : await this.#otherName(this.table.livePathOf(identity), facts),
        done: known ? undefined : await this.#otherName(this.table.donePathOf(identity), facts),
      });
      await this.#act(verdict, watch, path, facts);
    } finally {
      this.#opening.delete(path);
    }
  }

  /** Notes the size of a file that need not be sighted now. Whether there is a stream, or none is needed. */
  measure(path: string, facts: FileFacts): boolean {
    const known = this.table.get(path);
    const running = known?.kind === "live" ? this.running.get(known.id) : undefined;
    if (running) running.sightedBytes = facts.size;
    return known !== undefined;
  }

  /** A path known for this file's identity, and whether it still leads to it. */
  async #otherName(path: string | undefined, facts: FileFacts): Promise<OtherName | undefined> {
    if (path === undefined) return undefined;
    const look = await this.#deps.processing.files.look(path);
    return { path, stillThere: look.kind === "file" && look.facts.inode === facts.inode };
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

  /** A stream of ours that was interrupted, with its parts. */
  resume(record: StreamRecord, parts: Iterable<Part>, watch: Watch): void {
    this.#pool.resume(record, parts, watch);
  }

  renamedTo(id: string): string | undefined {
    return this.#renamed.get(id);
  }

  /** Nothing new is begun; resolves when every processor has let go of its stream. */
  async drain(): Promise<void> {
    await this.#pool.drain();
  }

  /** Redis was emptied: lets go of every stream and forgets every file, so that the next walk sees all of them anew. */
  async startAnew(): Promise<void> {
    await this.#pool.letGo();
    this.table.forgetFiles();
  }

  /** SLUICE_ON_TERM=seal. */
  async sealAll(): Promise<void> {
    await this.#pool.sealAll();
  }

  /** Resolves when every stream that runs now has looked at its file and at what S3 holds of it. */
  async lookedOnce(): Promise<void> {
    await this.#pool.lookedOnce();
  }

  async #act(verdict: Verdict, watch: Watch, path: string, facts: FileFacts): Promise<void> {
    const { log, register } = this.#deps;
    switch (verdict.kind) {
      case "nothing":
        return;
      case "poke":
        this.#pokeIfChanged(verdict.id, facts);
        return;
      case "open":
        return await this.#open(watch, path, facts, undefined);
      case "reopen":
        this.#reopened.set(watch.name, (this.#reopened.get(watch.name) ?? 0) + 1);
        log.warn(
          { path: displayPath(path), watch: watch.name },
          "a completed file changed: a new generation begins (idle time too short?)",
        );
        return await this.#open(watch, path, facts, {
          id: verdict.entry.stream_id,
          key: verdict.entry.s3_key,
        });
      case "follow_live":
        return this.#followLive(verdict.from, path, facts);
      case "follow_done":
        return await this.#followDone(verdict.from, path);
      case "heal":
        return await this.#heal(verdict.id, path);
      case "lift":
        await register.removeIgnored(path);
        this.table.clearIgnored(path);
        return await this.#open(watch, path, facts, undefined);
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
    const running = this.running.get(id);
    const known = running?.processor.record;
    if (
      !running ||
      (known?.file_size === facts.size &&
        known.file_mtime_ns === facts.mtimeNs &&
        known.file_inode === facts.inode)
    )
      return;
    running.processor.poke();
  }

  /** A file that failed for being missing or unreadable is there again, and can be read. */
  async #heal(id: string, path: string): Promise<void> {
    const opened = await this.#deps.processing.files.open(path);
    if (opened.kind !== "file") return;
    await opened.file[Symbol.asyncDispose]();
    await this.#deps.retry(id);
  }

  #followLive(from: string, to: string, facts: FileFacts): void {
    const known = this.table.get(from);
    if (known?.kind !== "live") return;
    this.#renamed.set(known.id, to);
    this.table.clearLive(from);
    this.table.setLive(to, known.id, identityOf(facts));
    this.running.get(known.id)?.processor.poke();
  }

  async #followDone(from: string, to: string): Promise<void> {
    const entry = this.table.done(from);
    if (!entry) return;
    await this.#deps.register.moveDone(from, to);
    this.table.clearDone(from);
    this.table.setDone(to, entry);
  }

  async #open(
    watch: Watch,
    path: string,
    facts: FileFacts,
    supersedes: { id: string; key: string } | undefined,
  ): Promise<void> {
    const { processing, source, bucket, contentType } = this.#deps;
    if (await this.#isPlaceholder(watch, path, facts)) return;
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
      supersedes: supersedes ?? this.#replaces(watch, path),
      waiting: waitsAtFirst(path, facts, watch.rules, processing),
    });
    await processing.failpoint?.("file_seen");
    const knownDone = this.table.done(path)?.stream_id ?? "";
    const outcome = await processing.checkpoints.open({ record, log: ["file found"], knownDone });
    // Another worker on the same volume completed it: the next rescan judges it by that.
    if (outcome.kind === "done") this.table.setDone(path, outcome.entry);
    // Another worker on the same volume was first, or we lost our lease: the next rescan asks again.
    if (outcome.kind !== "opened") return;
    processing.observer.opened(record);
    this.#pool.begin(record, watch);
    // An empty file that was there first may be no more than this one's placeholder: its stream looks again.
    const final = watch.rules.temporaryNames.finalOf(path);
    if (final !== path) this.poke(final);
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

  #onEnd(ending: Ending | { kind: "faulty" }, running: Running): void {
    const { record } = running.processor;
    const { original_path: path, id, file_inode, file_birthtime_ns } = record;
    this.#renamed.delete(record.id);
    for (const name of new Set([path, running.path])) this.table.clearLive(name, record.id);
    switch (ending.kind) {
      case "completed":
        this.table.setDone(path, doneEntry(record, record.completed_at_utc ?? ""));
        return;
      case "failed":
        this.table.setFailed(path, { id, reason: ending.reason, file_inode, file_birthtime_ns });
        this.#deps.log[isSetApart(record) ? "info" : "warn"](
          { stream_id: record.id, path, reason: ending.reason, detail: record.failure_detail },
          isSetApart(record)
            ? "a file vanished under its temporary name: no failure; its upload is kept for a while"
            : "a stream failed; everything is kept",
        );
        return;
      case "superseded":
        this.#pool.begin(ending.successor, running.watch);
        return;
      case "lost":
        this.#deps.log.warn(
          { stream_id: record.id, detail: ending.detail },
          "a stream is held by someone else now",
        );
        return;
      // The observer has said why.
      case "removed":
      case "released":
      case "faulty":
        return;
    }
  }
}
