/**
 * Which processes hold a file open or mapped for writing. One scan of all processes answers every question of the next
 * second, and scanning never takes more than a small share of the time, however many processes there are.
 */
import { dirname } from "node:path";
import type { Clock, FileFacts, WriterProbe, WriterQuestion, Writers } from "@sluice/core";
import { pathBuffer } from "../path-buffer.ts";
import { unseenHosts } from "../watch/network-fs.ts";
import { commandOf, holds, scanOpenFiles, type OpenFiles, type Writer } from "./proc-fds.ts";
import { judgeVisibility, visibilityFacts, type Visibility } from "./process-visibility.ts";

interface Scan extends OpenFiles {
  visibility: Visibility;
  /** Ms since 1970, to be compared with a file's times. */
  startedWallMs: number;
  endedMs: number;
  /** How long its answers are used. */
  goodForMs: number;
}

const GOOD_FOR_MS = 1_000;
/** A scan is used for this many times as long as it took, so that scanning takes at most a twentieth of one CPU … */
const REST_FACTOR = 20;
/** … but never longer than this, so that it does not become stale on a very busy machine. */
const GOOD_FOR_MOST_MS = 10_000;
/** The kernel stamps a change with the time of its last tick, so a file's ctime may lag by one tick. */
const TICK_MS = 10;

export class OpenForWrite implements WriterProbe {
  readonly #clock: Pick<Clock, "monotonicMs" | "wallMs">;
  #last: Scan | undefined;
  /** Never rejects; a failed scan is reported to those who wait for it. */
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<Scan> | undefined;
  #unseen: string | undefined;

  constructor(clock: Pick<Clock, "monotonicMs" | "wallMs">) {
    this.#clock = clock;
  }

  /** Why the open files of some processes cannot be seen, as of the last scan. */
  get unseen(): string | undefined {
    return this.#unseen;
  }

  async openForWriting(path: string, facts: FileFacts, question: WriterQuestion = {}): Promise<Writers> {
    const seen = await this.#seen(path, facts, question);
    if (seen.kind !== "closed" || !question.tidying) return seen;
    const detail = await unseenHosts(dirname(path));
    return detail === undefined ? seen : { kind: "unknown", detail };
  }

  async #seen(path: string, facts: FileFacts, { fresh = false }: WriterQuestion): Promise<Writers> {
    const kept = fresh ? undefined : this.#kept(facts);
    const scan = kept ?? (await this.#scan());
    const found = writersOf(scan, facts);
    const open = found.find((writer) => holds(writer, facts, nameOf(path)));
    if (open) {
      const { pid, fd } = open;
      return { kind: "open", pid, command: commandOf(pid), ...(fd === undefined ? { mapped: true } : {}) };
    }
    // A process that held it a moment ago may have opened it again.
    if (kept && found.length > 0) {
      this.#last = undefined;
      return await this.#seen(path, facts, {});
    }
    return scan.visibility.seen === "all"
      ? { kind: "closed" }
      : { kind: "unknown", detail: scan.visibility.detail };
  }

  /** For the start, `doctor` and `waiting_for`. */
  async visibility(): Promise<Visibility> {
    return (this.#kept() ?? (await this.#scan())).visibility;
  }

  /** A scan from before the file's last change may have missed the process that made it. */
  #kept(facts?: FileFacts): Scan | undefined {
    const last = this.#last;
    if (!last || this.#clock.monotonicMs() - last.endedMs > last.goodForMs) return undefined;
    return facts === undefined || last.startedWallMs > changedMs(facts) ? last : undefined;
  }

  /** Questions that come during a scan share the next one: the current scan began before they were asked. */
  #scan(): Promise<Scan> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      const look = this.#look();
      this.#running = look.catch(() => undefined);
      return look;
    });
    return this.#next;
  }

  async #look(): Promise<Scan> {
    const startedMs = this.#clock.monotonicMs();
    const startedWallMs = this.#clock.wallMs();
    const open = await scanOpenFiles();
    const visibility = judgeVisibility(visibilityFacts(open.closed));
    const endedMs = this.#clock.monotonicMs();
    const goodForMs = Math.min(GOOD_FOR_MOST_MS, Math.max(GOOD_FOR_MS, REST_FACTOR * (endedMs - startedMs)));
    this.#unseen = visibility.seen === "all" ? undefined : visibility.detail;
    this.#last = { ...open, visibility, startedWallMs, endedMs, goodForMs };
    return this.#last;
  }
}

/** The last change cannot have ended before this, in ms since 1970. mtime can be set to anything, ctime cannot. */
function changedMs({ ctimeNs }: FileFacts): number {
  return Number(BigInt(ctimeNs) / 1_000_000n) + TICK_MS;
}

function writersOf(scan: Scan, facts: FileFacts): readonly Writer[] {
  return scan.writers.get(facts.inode) ?? [];
}

/** Without its directory, byte by byte: the way /proc is read. */
function nameOf(path: string): string {
  return pathBuffer(path.slice(path.lastIndexOf("/") + 1)).toString("latin1");
}
