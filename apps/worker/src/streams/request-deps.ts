/** What answering requests needs, put together from the worker's parts. */
import type { Clock } from "@sluice/core";
import { IgnoredFiles, RequestQueue, StreamReader } from "@sluice/redis-schema";
import type { JanitorDeps } from "../janitor/janitor.ts";
import { uploadActions } from "../janitor/upload-actions.ts";
import type { WorkerSettings } from "../settings.ts";
import type { WorkerPorts } from "../worker-ports.ts";
import type { RequestDeps } from "./request-handler.ts";
import type { Retried } from "./retry.ts";
import { retryPath } from "./retry-path.ts";
import type { Supervisor } from "./supervisor.ts";
import type { WatchRunner } from "./watch-runner.ts";

type FromSettings = Pick<WorkerSettings, "workerId" | "source" | "watches" | "s3KeyPrefix">;
type FromPorts = Pick<WorkerPorts, "context" | "blocking" | "store" | "files" | "log">;

export interface RequestInputs extends FromSettings, FromPorts {
  supervisor: Supervisor;
  runners: readonly WatchRunner[];
  janitor: JanitorDeps;
  clock: Clock;
  stop: AbortSignal;
  retry(id: string): Promise<Retried>;
}

export function requestDeps(from: RequestInputs): RequestDeps {
  const { context, source, supervisor, runners, stop, janitor, watches, files } = from;
  const ignored = new IgnoredFiles(context);
  return {
    ...from,
    queue: new RequestQueue(context),
    reader: new StreamReader(context),
    retryPath: (item) => retryPath(item, { source, ignored, supervisor, runners, stop }),
    others: uploadActions({ ...janitor, prefix: from.s3KeyPrefix, watches, files }),
  };
}
