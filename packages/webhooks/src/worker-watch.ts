/**
 * The worker that delivers webhooks checks all workers and watches: for workers that are blocked, have recovered or were
 * lost, for watches that are offline, for disks that fill, and for only copies that will end. What was reported is noted in Redis, so that the next worker
 * that delivers does not report it again.
 */
import type { EndingUpload } from "@sluice/control/ending-uploads";
import { disksOf, spaceWords } from "@sluice/control/disk-space";
import type { Clock, WorkerEvent } from "@sluice/core";
import type { Outbox, WatchRecord, WatchStore, WorkerListing, WorkerRegistry } from "@sluice/redis-schema";
import { endingData, type EndingWatch } from "./ending-watch.ts";

/** Conditions shorter than this are not reported: a store that answers 503 for some seconds, a volume that is remounted. */
export const LASTED_MS = 30_000;

export interface WorkerNews {
  /** What is noted, and under which name; an empty value ends it. */
  field: string;
  value: string;
  /** Whom it is about: messages of one subject stay in order. */
  subject: string;
  /** Undefined: it is over, and nobody needs to hear of that. */
  event: WorkerEvent | undefined;
  data: Readonly<Record<string, string>>;
}

/** What is to be reported now. `reported`: what was already, by field. `ending`: undefined if nobody looked this time. */
export function workerNews(
  workers: readonly WorkerListing[],
  watches: readonly WatchRecord[],
  reported: ReadonlyMap<string, string>,
  nowMs: number,
  ending?: readonly EndingUpload[],
): WorkerNews[] {
  const news = [
    ...workers.flatMap((worker) => newsOf(worker, reported, nowMs)),
    ...watchNews(watches, nowMs),
    ...diskNews(workers, reported, nowMs),
    ...endingNews(ending ?? [], reported, nowMs),
  ];
  const known = new Set([
    ...workers.flatMap(({ id }) => [blockedField(id), lostField(id)]),
    ...watches.map(offlineField),
    // A disk of which nobody reports now is neither filling nor over.
    ...watchesOf(workers).map(fillingField),
    ...(ending?.map(endingField) ?? [...reported.keys()].filter((field) => field.startsWith(ENDING))),
  ]);
  // Of workers and watches that nobody lists any longer.
  for (const [field] of reported) if (!known.has(field)) news.push(over(field, field));
  return news.filter(({ field, value }) => (reported.get(field) ?? "") !== value);
}

function newsOf(listing: WorkerListing, reported: ReadonlyMap<string, string>, nowMs: number): WorkerNews[] {
  const { id, lease, lastSeenAt } = listing;
  const subject = `worker ${id}`;
  const [blocked, lost] = [blockedField(id), lostField(id)];
  if (lease.kind === "gone") {
    // A worker that shut down gracefully leaves no record.
    if (lease.last === undefined) return [over(blocked, subject), over(lost, subject)];
    const since = new Date(lastSeenAt).toISOString();
    const data = { worker: id, host: lease.last.host, source: lease.last.source, since };
    return [
      { field: lost, value: String(lastSeenAt), subject, event: "worker.lost", data },
      over(blocked, subject),
    ];
  }
  if (lease.kind !== "ok") return [];
  const { state, state_since_utc: since = "", state_detail: cause, host, source } = lease.value;
  const data = { worker: id, host, source };
  if (state === "blocked") {
    if (!(nowMs - Date.parse(since) >= LASTED_MS)) return [];
    const why = cause === undefined ? {} : { cause };
    const is = { subject, event: "worker.blocked", data: { ...data, since, ...why } } as const;
    return [{ ...is, field: blocked, value: since }, over(lost, subject)];
  }
  if (state === "draining") return [];
  const was = reported.has(lost) ? lost : blocked;
  const other = was === lost ? blocked : lost;
  return [{ field: was, value: "", subject, event: "worker.recovered", data }, over(other, subject)];
}

function watchNews(watches: readonly WatchRecord[], nowMs: number): WorkerNews[] {
  return watches.flatMap((watch) => {
    const { source, name, root, state, state_detail: cause, since_utc: since } = watch;
    const [field, subject] = [offlineField(watch), `watch ${source}/${name}`];
    if (state !== "offline") return [over(field, subject)];
    if (!(nowMs - Date.parse(since) >= LASTED_MS)) return [];
    const data = { watch: name, source, root, since, ...(cause === undefined ? {} : { cause }) };
    return [{ field, value: since, subject, event: "watch.offline" as const, data }];
  });
}

function diskNews(
  workers: readonly WorkerListing[],
  reported: ReadonlyMap<string, string>,
  nowMs: number,
): WorkerNews[] {
  return disksOf(workers).flatMap((disk) => {
    const { source, watch, host, worker, filling_since_utc: since, full_in_ms: fullMs } = disk;
    const [field, subject] = [fillingField({ source, name: watch }), `watch ${source}/${watch}`];
    if (since === undefined) return [over(field, subject)];
    if (!(nowMs - Date.parse(since) >= LASTED_MS)) return [];
    const data = {
      watch,
      source,
      host,
      worker,
      since,
      free_bytes: String(disk.free_bytes),
      total_bytes: String(disk.total_bytes),
      ...(fullMs === undefined ? {} : { full_in_ms: String(fullMs) }),
      cause: spaceWords(disk),
    };
    // A worker that starts again finds the same disk: that it fills is no news.
    const value = reported.get(field) || since;
    return [{ field, value, subject, event: "watch.disk_filling" as const, data }];
  });
}

function endingNews(
  uploads: readonly EndingUpload[],
  reported: ReadonlyMap<string, string>,
  nowMs: number,
): WorkerNews[] {
  return uploads.map((upload) => {
    const field = endingField(upload);
    // A worker with another retention moves the end: that it ends is no news.
    const value = reported.get(field) || new Date(upload.endsAt).toISOString();
    const subject = `upload ${upload.uploadId}`;
    return { field, value, subject, event: "upload.ending", data: endingData(upload, nowMs) };
  });
}

const ENDING = "ending:";
const endingField = ({ uploadId }: EndingUpload): string => `${ENDING}${uploadId}`;
const blockedField = (id: string): string => `blocked:${id}`;
const lostField = (id: string): string => `lost:${id}`;
const offlineField = ({ source, name }: Pick<WatchRecord, "source" | "name">): string =>
  `offline:${source}/${name}`;

const fillingField = ({ source, name }: Pick<WatchRecord, "source" | "name">): string =>
  `filling:${source}/${name}`;

function over(field: string, subject: string): WorkerNews {
  return { field, value: "", subject, event: undefined, data: {} };
}

export interface WorkerWatchDeps {
  workers: Pick<WorkerRegistry, "list">;
  watches: Pick<WatchStore, "loadMany">;
  outbox: Pick<Outbox, "reportedOfWorkers" | "reportWorker">;
  events: readonly string[];
  endings: Pick<EndingWatch, "look">;
  /** Whether this process delivers now. */
  isOurTurn(): boolean;
  clock: Pick<Clock, "wallMs">;
}

/**
 * One look: reports what is new. Does nothing while another process delivers; rejects with CheckpointError if Redis
 * does not answer.
 */
export async function checkWorkers(deps: WorkerWatchDeps): Promise<void> {
  if (!deps.isOurTurn()) return;
  const [workers, reported] = await Promise.all([deps.workers.list(), deps.outbox.reportedOfWorkers()]);
  const watches = await deps.watches.loadMany(watchesOf(workers));
  const seen = watches.filter((watch) => watch !== undefined);
  const ending = await deps.endings.look(workers);
  for (const { event, ...news } of workerNews(workers, seen, reported, deps.clock.wallMs(), ending)) {
    const wanted = event !== undefined && deps.events.includes(event) ? event : undefined;
    await deps.outbox.reportWorker({ ...news, event: wanted });
  }
}

/** Those of the living, and of the dead as they last said. */
function watchesOf(workers: readonly WorkerListing[]): { source: string; name: string }[] {
  const found = new Map<string, { source: string; name: string }>();
  for (const { lease } of workers) {
    const worker = lease.kind === "ok" ? lease.value : lease.kind === "gone" ? lease.last : undefined;
    for (const name of worker?.watches ?? [])
      found.set(`${worker?.source}/${name}`, { source: worker?.source ?? "", name });
  }
  return [...found.values()];
}
