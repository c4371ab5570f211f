/** `retry <path>`: a file that was purged, and is therefore ignored, is taken up again as it is. */
import { displayPath } from "@sluice/core";
import { pathField, type IgnoredFiles } from "@sluice/redis-schema";
import type { Answer, Task } from "./request-desk.ts";
import type { Supervisor } from "../streams/supervisor.ts";
import type { WatchRunner } from "../files/watch/watch-runner.ts";

export interface RetryPathDeps {
  source: string;
  ignored: IgnoredFiles;
  supervisor: Supervisor;
  runners: readonly WatchRunner[];
  stop: AbortSignal;
}

/** Items: `<source>:<path>` as shown to people. A source may begin as another one does: the path is absolute. */
export async function retryPath(task: Task, deps: RetryPathDeps): Promise<Answer> {
  const { item } = task;
  if (!item.startsWith(`${deps.source}:/`) || !(await task.turn())) return { kind: "pending" };
  const marks = await deps.ignored.load(deps.source);
  const path = [...marks.keys()].find((one) => displayPath(pathField(deps.source, one)) === item);
  if (path === undefined) return { kind: "refused", detail: "this path is not ignored" };
  await deps.ignored.lift(deps.source, [path]);
  deps.supervisor.table.clearIgnored(path);
  await Promise.all(deps.runners.map((runner) => runner.rescan(deps.stop)));
  return { kind: "done", detail: "the file is a stream again if it is still there" };
}
