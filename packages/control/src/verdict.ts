/**
 * Is the data safe? One answer for overview and command line, derived from what is at risk and never from the work there is.
 *
 *   safe            every full part is in S3, or has waited no longer than a part takes
 *   catching up     full parts wait, and more is sent than is written: done in about this time
 *   falling behind  full parts wait, and no more is sent than is written
 *   stopped         bytes wait for something that must change first: a store, a volume, an operator
 *   unknown         there is no recent report
 *
 * Each is worse than the one before it, and the worst one that applies to anything is the answer for the whole: a worker that
 * dies, or a volume that disappears, never improves it. Pure, and also run in the browser, where data becomes stale.
 */
import { LIMITS } from "@sluice/core/limits";
import type { WatchRecord } from "@sluice/redis-schema/records/watch";
import type { WorkerRecord } from "@sluice/redis-schema/records/worker";
import type { WorkerListing } from "@sluice/redis-schema/worker-registry";
import {
  failureReason,
  indexOfRow,
  isStalled,
  isSuperseded,
  lagBytes,
  lastActivityAt,
  unprotectedBytes,
  type StreamRow,
} from "./stream-row.ts";
import { formatBytes, formatDuration, parseTime, plural } from "./units.ts";

export const VERDICTS = ["safe", "catching_up", "falling_behind", "stopped", "unknown"] as const;
export type VerdictState = (typeof VERDICTS)[number];

/** Older data counts as unknown. */
export const DATA_AGE_MS = 10_000;
/** How long a full part may wait without being behind: for its turn, and for its transfer. */
export const PART_TAKES_MS = 30_000;
/** Bytes that have been unprotected for longer are said, also of a file that is only slow. */
export const LONG_UNPROTECTED_MS = 15 * 60_000;
/** A lower rate is noise: a forecast from it would be useless. */
const NET_RATE = 1_024;
/** A worker of the same source takes over what another one left within this time. */
const TAKEOVER_MS = LIMITS.leaseTtlMs * 3;

/** Streams that wait for the same thing, and their bytes that are not in S3. */
export interface Waits {
  streams: number;
  bytes: number;
}

/** A worker whose lease has lapsed while it held live streams. */
export interface GoneWorker extends Waits {
  id: string;
  /** As reported by itself. */
  host?: string;
  source?: string;
  /** When it was last seen, ms since 1970. */
  since: number;
  /** Whether another worker of its source is alive, which takes them over within moments. */
  relieved: boolean;
}

export interface Risk {
  /** Live streams. */
  live: number;
  /** Their bytes on disk that are not in S3, and those of failed streams. */
  bytes: number;
  failedBytes: number;
  /** Bytes of live streams that the loss of their host would lose: what S3 holds of a tail is safe. */
  unprotected: number;
  /** Since when the oldest of them has existed, ms since 1970; `least`: at least since then. */
  oldest?: { at: number; least: boolean };
  /** Since when the full part that waits longest has been full, ms since 1970. */
  behindSince?: number;
  /** Bytes per second that are written and that are sent. */
  rateIn: number;
  rateOut: number;
  /** Sources with live streams and no live worker: nobody checks their files. */
  unwatched: { source: string; since?: number; streams: number }[];
  gone: GoneWorker[];
  /** No worker is alive at all. */
  noWorker: boolean;
  /** Time since the report of the live worker that has been silent for longest, ms; 0 without any. */
  silentMs: number;
  /** Workers that report themselves as blocked. */
  blocked: { id: string; host: string; detail: string; since?: number }[];
  workers: number;
  offline: { source: string; name: string; detail: string; since?: number; streams: number }[];
  stalled: Waits;
  failed: Waits;
  /** Streams that another worker of their source has not taken over in time. */
  left: Waits;
}

export interface Verdict {
  state: VerdictState;
  /** "Falling behind" */
  title: string;
  /** One sentence: the problem and since when. */
  because: string;
  /** The time needed to catch up, at the current rates. */
  etaMs?: number;
}

interface WatchName {
  source: string;
  name: string;
}

interface Look {
  listings: readonly WorkerListing[];
  nowMs: number;
  stallAfterMs: number;
}

/** Adds up what is at risk, stream by stream. */
export class RiskTally {
  readonly #look: Look;
  readonly #living: ReadonlySet<string>;
  readonly #sources: ReadonlySet<string>;
  readonly #seen: ReadonlyMap<string, number>;
  readonly #unwatched = new Map<string, Risk["unwatched"][number]>();
  readonly #heldBy = new Map<string, Waits>();
  readonly #watches = new Map<string, WatchName & { streams: number }>();
  #live = 0;
  #bytes = 0;
  readonly #bySource = new Map<string, number>();
  #unprotected = 0;
  #oldestUnowned: number | undefined;
  readonly #stalled = nothing();
  readonly #failed = nothing();
  readonly #left = nothing();

  constructor(look: Look) {
    this.#look = look;
    const living = livingLeases(look.listings);
    this.#living = new Set(living.map(({ id }) => id));
    this.#sources = new Set(living.map(({ worker }) => worker.source));
    for (const lease of leases(look.listings))
      for (const name of lease.watches) this.#watch(lease.source, name);
    this.#seen = new Map(look.listings.map(({ id, lastSeenAt }) => [id, lastSeenAt]));
  }

  add(row: StreamRow): void {
    const index = indexOfRow(row);
    if (index === "completed") return;
    const bytes = lagBytes(row);
    if (index === "failed") {
      if (isAtRisk(row)) count(this.#failed, bytes);
      return;
    }
    this.#live += 1;
    this.#bytes += bytes;
    this.#bySource.set(row.source ?? "", (this.#bySource.get(row.source ?? "") ?? 0) + bytes);
    const unprotected = unprotectedBytes(row);
    this.#unprotected += unprotected;
    this.#watch(row.source ?? "", row.watch ?? "").streams += 1;
    const { nowMs, stallAfterMs } = this.#look;
    if (isStalled(row, nowMs, stallAfterMs)) count(this.#stalled, bytes);
    if (row.owner === undefined || !this.#living.has(row.owner)) this.#unowned(row, bytes, unprotected);
  }

  get live(): number {
    return this.#live;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The same bytes by source, also of sources whose workers are gone. */
  get bytesBySource(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#bySource);
  }

  get unprotected(): number {
    return this.#unprotected;
  }

  get stalled(): number {
    return this.#stalled.streams;
  }

  /** Watches of workers, including those that are gone, and of live streams. */
  get watches(): readonly WatchName[] {
    return [...this.#watches.values()];
  }

  risk(watches: readonly WatchRecord[], rates: { rate_in: number; rate_out: number }): Risk {
    const { listings } = this.#look;
    const living = livingLeases(listings);
    const oldest = this.#oldest(living);
    const behind = living.flatMap(({ worker }) => parseTime(worker.behind_since_utc) ?? []);
    return {
      live: this.#live,
      bytes: this.#bytes + this.#failed.bytes,
      failedBytes: this.#failed.bytes,
      unprotected: this.#unprotected,
      ...(oldest === undefined ? {} : { oldest }),
      ...(behind.length === 0 ? {} : { behindSince: Math.min(...behind) }),
      rateIn: rates.rate_in,
      rateOut: rates.rate_out,
      unwatched: [...this.#unwatched.values()],
      gone: this.#gone(),
      noWorker: living.length === 0,
      silentMs: Math.max(0, ...living.map(({ ageMs }) => ageMs)),
      blocked: living.flatMap(({ id, worker }) =>
        worker.state !== "blocked"
          ? []
          : [
              {
                id,
                host: worker.host,
                detail: worker.state_detail ?? "no reason reported",
                ...since(worker.state_since_utc),
              },
            ],
      ),
      workers: living.length,
      offline: watches.flatMap((watch) =>
        watch.state !== "offline"
          ? []
          : [
              {
                source: watch.source,
                name: watch.name || watch.root,
                detail: watch.state_detail ?? `${watch.root} does not exist`,
                ...since(watch.since_utc),
                streams: this.#watch(watch.source, watch.name).streams,
              },
            ],
      ),
      stalled: this.#stalled,
      failed: this.#failed,
      left: this.#left,
    };
  }

  #gone(): GoneWorker[] {
    return this.#look.listings.flatMap(({ id, lastSeenAt, lease }) => {
      const held = this.#heldBy.get(id);
      if (held === undefined || lease.kind !== "gone") return [];
      const { host, source } = lease.last ?? {};
      const relieved = source !== undefined && this.#sources.has(source);
      const who = { ...(host === undefined ? {} : { host }), ...(source === undefined ? {} : { source }) };
      return [{ id, since: lastSeenAt, ...held, ...who, relieved }];
    });
  }

  #watch(source: string, name: string): WatchName & { streams: number } {
    const key = `${source}:${name}`;
    const known = this.#watches.get(key) ?? { source, name, streams: 0 };
    this.#watches.set(key, known);
    return known;
  }

  /** If a worker of its source is alive, the stream is taken over within moments. */
  #unowned(row: StreamRow, bytes: number, unprotected: number): void {
    const source = row.source ?? "";
    const at = parseTime(row.unprotected_since_utc) ?? lastActivityAt(row);
    if (unprotected > 0 && at !== undefined) this.#oldestUnowned = Math.min(this.#oldestUnowned ?? at, at);
    if (row.owner !== undefined) {
      const held = this.#heldBy.get(row.owner) ?? nothing();
      this.#heldBy.set(row.owner, held);
      count(held, bytes);
    }
    const seen = (row.owner === undefined ? undefined : this.#seen.get(row.owner)) ?? lastActivityAt(row);
    if (this.#sources.has(source)) {
      if (seen === undefined || this.#look.nowMs - seen > TAKEOVER_MS) count(this.#left, bytes);
      return;
    }
    const known = this.#unwatched.get(source);
    const last = Math.max(known?.since ?? 0, seen ?? 0);
    const streams = (known?.streams ?? 0) + 1;
    this.#unwatched.set(source, { source, streams, ...(last === 0 ? {} : { since: last }) });
  }

  #oldest(living: readonly Living[]): Risk["oldest"] {
    const said = living.flatMap(({ worker }) => {
      const at = parseTime(worker.oldest_unshipped_at_utc);
      return at === undefined ? [] : [{ at, least: worker.oldest_unshipped_age !== "exact" }];
    });
    // Nobody has checked these files since: bytes may have been added, but the oldest is as old as it was known to be.
    if (this.#oldestUnowned !== undefined) said.push({ at: this.#oldestUnowned, least: true });
    return said.sort((a, b) => a.at - b.at)[0];
  }
}

/** `dataAgeMs`: time since all this was read. `away`: why it cannot be read now. */
export function verdictOf(
  risk: Risk,
  { nowMs, dataAgeMs = 0, away }: { nowMs: number; dataAgeMs?: number; away?: string | undefined },
): Verdict {
  return unknown(risk, nowMs, dataAgeMs, away) ?? stopped(risk, nowMs) ?? moving(risk, nowMs);
}

function unknown(
  risk: Risk,
  nowMs: number,
  dataAgeMs: number,
  away: string | undefined,
): Verdict | undefined {
  const because = whyUnknown(risk, nowMs, dataAgeMs, away);
  return because === undefined ? undefined : { state: "unknown", title: TITLES.unknown, because };
}

function whyUnknown(
  risk: Risk,
  nowMs: number,
  dataAgeMs: number,
  away: string | undefined,
): string | undefined {
  if (away !== undefined) return away;
  if (dataAgeMs > DATA_AGE_MS) return `What is shown here is ${formatDuration(dataAgeMs)} old.`;
  const [first, ...others] = risk.unwatched;
  if (first) {
    const names = `${first.source || "an unknown source"}${others.length === 0 ? "" : ` and ${plural(others.length, "other source")}`}`;
    const streams = risk.unwatched.reduce((sum, { streams: n }) => sum + n, 0);
    return `No worker runs on source ${names}${ago(first.since, nowMs)}: its files may grow unnoticed, and ${plural(streams, "live stream waits", "live streams wait")}.`;
  }
  if (risk.noWorker) return "No worker is running: new files are not noticed.";
  if (risk.silentMs > DATA_AGE_MS) return `A worker has not reported for ${formatDuration(risk.silentMs)}.`;
  return undefined;
}

function stopped(risk: Risk, nowMs: number): Verdict | undefined {
  const why = [
    ...blockedWords(risk, nowMs),
    ...risk.offline.map(
      ({ name, since: at, streams, detail }) =>
        `watch ${name} is offline${ago(at, nowMs)}, ${plural(streams, "stream waits", "streams wait")}: ${detail}`,
    ),
    ...waitWords(risk.stalled, "is stalled", "are stalled"),
    ...waitWords(risk.left, "has no worker", "have no worker"),
    ...waitWords(risk.failed, "has failed", "have failed"),
  ];
  if (why.length === 0) return undefined;
  const text = why.join("; ");
  return {
    state: "stopped",
    title: isWhole(risk) ? TITLES.stopped : "Some uploads have stopped",
    because: `${text.charAt(0).toUpperCase()}${text.slice(1)}.`,
  };
}

/** Nothing is uploaded, from anywhere. */
function isWhole({ blocked, workers }: Risk): boolean {
  return workers > 0 && blocked.length === workers;
}

/** "1 of 4 workers is blocked: cam-host-2, store answers 500, since 21:41" */
function blockedWords({ blocked, workers }: Risk, nowMs: number): string[] {
  const [first, ...others] = blocked;
  if (!first) return [];
  const named = `${first.id}${first.host === "" || first.id.startsWith(first.host) ? "" : ` on ${first.host}`}`;
  const more = others.length === 0 ? "" : `, and ${plural(others.length, "other")}`;
  const one = blocked.length === 1;
  const head =
    workers === 1
      ? "The worker is blocked"
      : `${blocked.length} of ${workers} workers ${one ? "is" : "are"} blocked`;
  return [`${head}: ${named}, ${first.detail}${ago(first.since, nowMs)}${more}`];
}

function waitWords({ streams, bytes }: Waits, is: string, are: string): string[] {
  if (streams === 0) return [];
  return [`${plural(streams, "stream")} ${streams === 1 ? is : are}, ${formatBytes(bytes)} not in S3`];
}

function moving(risk: Risk, nowMs: number): Verdict {
  const { bytes, behindSince, rateIn, rateOut } = risk;
  const behindMs = behindSince === undefined ? 0 : nowMs - behindSince;
  if (behindMs <= PART_TAKES_MS)
    return { state: "safe", title: TITLES.safe, because: safeWords(risk, nowMs) };
  const net = rateOut - rateIn;
  const behind = `${formatBytes(bytes)} are not in S3, and a full part has waited for ${formatDuration(behindMs)}`;
  if (net < NET_RATE) return { state: "falling_behind", title: TITLES.falling_behind, because: `${behind}.` };
  const etaMs = (bytes / net) * 1_000;
  return {
    state: "catching_up",
    title: TITLES.catching_up,
    because: `${behind}; at this rate all of it is in S3 in about ${formatDuration(etaMs)}.`,
    etaMs,
  };
}

function safeWords({ live, unprotected, oldest }: Risk, nowMs: number): string {
  if (live === 0) return "No file is being written; every stream has ended.";
  if (unprotected === 0) return `Every byte of ${plural(live, "live stream")} is in S3.`;
  const age =
    oldest === undefined
      ? ""
      : `, the oldest for ${oldest.least ? "at least " : ""}${formatDuration(nowMs - oldest.at)}`;
  return `Every full part of ${plural(live, "live stream")} is in S3 or on its way; ${formatBytes(unprotected)} are not protected${age}.`;
}

const TITLES: Record<VerdictState, string> = {
  safe: "Data is safe",
  catching_up: "Catching up",
  falling_behind: "Falling behind",
  stopped: "Uploads have stopped",
  unknown: "Not known",
};

/** Streams that another generation replaced, given-up downloads, and streams aborted by an operator are not at risk. */
function isAtRisk(row: StreamRow): boolean {
  return !isSuperseded(row) && failureReason(row) !== "aborted_by_operator";
}

/** What workers report, or last reported, about themselves. */
function leases(listings: readonly WorkerListing[]): WorkerRecord[] {
  return listings.flatMap(({ lease }) => {
    if (lease.kind === "ok") return [lease.value];
    return lease.kind === "gone" && lease.last !== undefined ? [lease.last] : [];
  });
}

interface Living {
  id: string;
  ageMs: number;
  worker: WorkerRecord;
}

function livingLeases(listings: readonly WorkerListing[]): Living[] {
  return listings.flatMap(({ id, ageMs = 0, lease }) =>
    lease.kind === "ok" ? [{ id, ageMs, worker: lease.value }] : [],
  );
}

function ago(at: number | undefined, nowMs: number): string {
  return at === undefined ? "" : ` for ${formatDuration(nowMs - at)}`;
}

function since(iso: string | undefined): { since?: number } {
  const at = parseTime(iso);
  return at === undefined ? {} : { since: at };
}

function nothing(): Waits {
  return { streams: 0, bytes: 0 };
}

function count(waits: Waits, bytes: number): void {
  waits.streams += 1;
  waits.bytes += bytes;
}
