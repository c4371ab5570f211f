/** The rows an action is about, read just now: those its state allows, and why not for those that were named. */
import type { ListedStream, StreamReader } from "@sluice/redis-schema";
import { MAX_PLAN_ITEMS, type Draft } from "@sluice/control/draft";
import { obstacle, type StreamAction } from "./obstacle.ts";

const CHUNK = 500;

export interface Chosen extends Pick<Draft, "excluded" | "leftOut"> {
  rows: ListedStream[];
}

/** By id: each that is not allowed is told by name. */
export async function chooseNamed(
  reader: StreamReader,
  action: StreamAction,
  ids: readonly string[],
): Promise<Chosen> {
  const chosen: Chosen = { rows: [], excluded: [], leftOut: 0 };
  for (let from = 0; from < ids.length; from += CHUNK) {
    const chunk = ids.slice(from, from + CHUNK);
    const found = await reader.rows(chunk);
    chunk.forEach((id, at) => {
      // An id that an index names while nothing is stored under it can be purged too.
      const row = found[at] ?? { id, status: "", kind: undefined };
      const why = obstacle(action, row);
      if (why === undefined) chosen.rows.push(row);
      else chosen.excluded.push({ id, why });
    });
  }
  return bounded(chosen);
}

/** By a filter: only what is allowed matches at all. */
export async function chooseMatching(
  action: StreamAction,
  matching: AsyncIterable<ListedStream>,
): Promise<Chosen> {
  const chosen: Chosen = { rows: [], excluded: [], leftOut: 0 };
  for await (const row of matching) {
    if (obstacle(action, row) === undefined) chosen.rows.push(row);
  }
  return bounded(chosen);
}

function bounded({ rows, excluded }: Chosen): Chosen {
  return {
    rows: rows.slice(0, MAX_PLAN_ITEMS),
    excluded,
    leftOut: Math.max(0, rows.length - MAX_PLAN_ITEMS),
  };
}
