/** The dependencies of request handling, built from the worker's parts. */
import {
  IgnoredFiles,
  RequestQueue,
  StreamReader,
  type StreamStore,
  type WorkerRegistry,
} from "@sluice/redis-schema";
import type { Clock, ProcessorDeps } from "@sluice/core";
import type { JanitorDeps } from "../streams/janitor.ts";
import { uploadActions } from "./upload-actions.ts";
import type { WorkerSettings } from "../start/settings.ts";
import type { WorkerPorts } from "../start/worker-ports.ts";
import { adoptRequest } from "./adopt-request.ts";
import { answerRequest, type AnswerDeps } from "./request-answers.ts";
import { downloadRequest } from "./download-request.ts";
import { RequestDesk, type DeskDeps } from "./request-desk.ts";
import type { Retried } from "./retry.ts";
import { salvageRequest } from "./salvage.ts";
import type { Supervisor } from "../streams/supervisor.ts";
import { verifyRequest } from "./verify-request.ts";

type FromSettings = Pick<
  WorkerSettings,
  "workerId" | "source" | "bucket" | "buckets" | "watches" | "s3KeyPrefix"
>;
type FromPorts = Pick<
  WorkerPorts,
  "context" | "store" | "files" | "log" | "clock" | "random" | "newId" | "digests" | "downloads"
>;

export interface RequestInputs extends FromSettings, FromPorts {
  supervisor: Supervisor;
  /** Resolves when every watch has been walked. */
  walkAll(): Promise<void>;
  janitor: JanitorDeps;
  registry: WorkerRegistry;
  checkpoints: StreamStore;
  processing: ProcessorDeps;
  stop: AbortSignal;
  retry(id: string, requestId: string): Promise<Retried>;
}

export function requestDesk(from: RequestInputs): RequestDesk {
  const { context, supervisor, stop, janitor, watches, files, clock } = from;
  const queue = new RequestQueue(context);
  const reader = new StreamReader(context);
  const isSourceAlive = sourceLiveness(from.registry, clock);
  const deps = { ...from, queue, reader, isSourceAlive, signal: stop };
  const answering: AnswerDeps = {
    ...deps,
    ignored: new IgnoredFiles(context),
    others: {
      ...uploadActions({
        ...janitor,
        clock,
        prefix: from.s3KeyPrefix,
        watches,
        held: () => uploadsOf(supervisor),
        files,
        processing: from.processing,
        signal: stop,
      }),
      verify: (task) => verifyRequest(task, deps),
      download: (task) => downloadRequest(task, { ...deps, downloads: from.downloads }),
      adopt: (task) => adoptRequest(task, deps),
      salvage: (task) => salvageRequest(task, { ...deps, locked: janitor.locked }),
    },
  };
  const answer: DeskDeps["answer"] = (task) => answerRequest(task, answering);
  return new RequestDesk({ ...deps, nonce: from.newId(), answer }, stop);
}

function uploadsOf({ running }: Pick<Supervisor, "running">): ReadonlySet<string> {
  const ids = [...running.values()].map(({ processor }) => processor.record.s3_upload_id);
  return new Set(ids.filter((id) => id !== undefined));
}

const LATELY_MS = 2_000;

/** Whether a source has a live worker, according to its lease. Redis is asked at most every few seconds. */
function sourceLiveness(
  registry: Pick<WorkerRegistry, "list">,
  clock: Pick<Clock, "monotonicMs">,
): (source: string) => Promise<boolean> {
  let latest: { atMs: number; sources: Promise<ReadonlySet<string>> } | undefined;
  return async (source) => {
    const now = clock.monotonicMs();
    if (latest === undefined || now - latest.atMs > LATELY_MS) {
      const sources = aliveSources(registry);
      latest = { atMs: now, sources };
      // This caller gets the error; the next caller asks again.
      sources.catch(() => (latest = undefined));
    }
    return (await latest.sources).has(source);
  };
}

async function aliveSources(registry: Pick<WorkerRegistry, "list">): Promise<ReadonlySet<string>> {
  const listings = await registry.list();
  return new Set(listings.flatMap(({ lease }) => (lease.kind === "ok" ? [lease.value.source] : [])));
}
