/** What answering requests needs, put together from the worker's parts. */
import type { Clock, Digests } from "@sluice/core";
import {
  IgnoredFiles,
  RequestQueue,
  StreamReader,
  type StreamStore,
  type WorkerRegistry,
} from "@sluice/redis-schema";
import type { JanitorDeps } from "../janitor/janitor.ts";
import { uploadActions } from "../janitor/upload-actions.ts";
import type { WorkerSettings } from "../settings.ts";
import type { WorkerPorts } from "../worker-ports.ts";
import { adoptRequest } from "./adopt-request.ts";
import type { RequestDeps } from "./request-handler.ts";
import type { Retried } from "./retry.ts";
import { retryPath } from "./retry-path.ts";
import type { Supervisor } from "./supervisor.ts";
import { verifyRequests } from "./verify-request.ts";
import type { WatchRunner } from "./watch-runner.ts";

type FromSettings = Pick<
  WorkerSettings,
  "workerId" | "source" | "bucket" | "buckets" | "watches" | "s3KeyPrefix"
>;
type FromPorts = Pick<WorkerPorts, "context" | "blocking" | "store" | "files" | "log">;

export interface RequestInputs extends FromSettings, FromPorts {
  supervisor: Supervisor;
  runners: readonly WatchRunner[];
  janitor: JanitorDeps;
  registry: WorkerRegistry;
  checkpoints: StreamStore;
  digests: Digests;
  clock: Clock;
  stop: AbortSignal;
  retry(id: string): Promise<Retried>;
}

export function requestDeps(from: RequestInputs): RequestDeps {
  const { context, source, supervisor, runners, stop, janitor, watches, files } = from;
  const ignored = new IgnoredFiles(context);
  const queue = new RequestQueue(context);
  const reader = new StreamReader(context);
  const deps = { ...from, queue, reader, signal: stop };
  return {
    ...deps,
    retryPath: (item) => retryPath(item, { source, ignored, supervisor, runners, stop }),
    others: {
      ...uploadActions({
        ...janitor,
        prefix: from.s3KeyPrefix,
        watches,
        held: () => uploadsOf(supervisor),
        files,
      }),
      verify: verifyRequests(deps),
      adopt: (item, request) => adoptRequest(item, request, deps),
    },
  };
}

function uploadsOf({ running }: Pick<Supervisor, "running">): ReadonlySet<string> {
  const ids = [...running.values()].map(({ processor }) => processor.record.s3_upload_id);
  return new Set(ids.filter((id) => id !== undefined));
}
