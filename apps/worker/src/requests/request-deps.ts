/** What answering requests needs, put together from the worker's parts. */
import {
  IgnoredFiles,
  RequestQueue,
  StreamReader,
  type StreamStore,
  type WorkerRegistry,
} from "@sluice/redis-schema";
import type { JanitorDeps } from "../streams/janitor.ts";
import { uploadActions } from "./upload-actions.ts";
import type { WorkerSettings } from "../start/settings.ts";
import type { WorkerPorts } from "../start/worker-ports.ts";
import { adoptRequest } from "./adopt-request.ts";
import { answerRequest, type AnswerDeps } from "./request-answers.ts";
import { RequestDesk, type DeskDeps } from "./request-desk.ts";
import type { Retried } from "./retry.ts";
import { retryPath } from "./retry-path.ts";
import { sourceLiveness } from "../takeover/source-liveness.ts";
import type { Supervisor } from "../streams/supervisor.ts";
import { verifyRequest } from "./verify-request.ts";
import type { WatchRunner } from "../files/watch/watch-runner.ts";

type FromSettings = Pick<
  WorkerSettings,
  "workerId" | "source" | "bucket" | "buckets" | "watches" | "s3KeyPrefix"
>;
type FromPorts = Pick<
  WorkerPorts,
  "context" | "store" | "files" | "log" | "clock" | "random" | "newId" | "digests"
>;

export interface RequestInputs extends FromSettings, FromPorts {
  supervisor: Supervisor;
  runners: readonly WatchRunner[];
  janitor: JanitorDeps;
  registry: WorkerRegistry;
  checkpoints: StreamStore;
  stop: AbortSignal;
  retry(id: string, requestId: string): Promise<Retried>;
}

export function requestDesk(from: RequestInputs): RequestDesk {
  const { context, source, supervisor, runners, stop, janitor, watches, files, clock } = from;
  const ignored = new IgnoredFiles(context);
  const queue = new RequestQueue(context);
  const reader = new StreamReader(context);
  const isSourceAlive = sourceLiveness(from.registry, clock);
  const deps = { ...from, queue, reader, isSourceAlive, signal: stop };
  const answering: AnswerDeps = {
    ...deps,
    retryPath: (task) => retryPath(task, { source, ignored, supervisor, runners, stop }),
    others: {
      ...uploadActions({
        ...janitor,
        clock,
        prefix: from.s3KeyPrefix,
        watches,
        held: () => uploadsOf(supervisor),
        files,
      }),
      verify: (task) => verifyRequest(task, deps),
      adopt: (task) => adoptRequest(task, deps),
    },
  };
  const answer: DeskDeps["answer"] = (task) => answerRequest(task, answering);
  return new RequestDesk({ ...deps, nonce: from.newId(), answer }, stop);
}

function uploadsOf({ running }: Pick<Supervisor, "running">): ReadonlySet<string> {
  const ids = [...running.values()].map(({ processor }) => processor.record.s3_upload_id);
  return new Set(ids.filter((id) => id !== undefined));
}
