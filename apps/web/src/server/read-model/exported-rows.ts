/** One piece of a list as a file: in the order in which streams started, which never changes, so that none is left out or twice. */
import { headOf, linesOf, type RowFormat } from "@sluice/control/row-export";
import { TRPCError } from "@trpc/server";
import type { StreamFilter } from "../../streams/stream-filter.ts";
import type { Hub } from "../hub.ts";
import { listPage } from "./list-page.ts";

const ROWS_AT_ONCE = 1_000;
const WAIT_FOR_FILL_MS = 8_000;

export interface ExportedRows {
  text: string;
  rows: number;
  /** Where the next piece begins; null at the end. */
  next: string | null;
}

export async function exportedRows(
  hub: Hub,
  { filter, format, after }: { filter: StreamFilter; format: RowFormat; after?: string | undefined },
): Promise<ExportedRows> {
  if (!(await hub.model.whenFilled(WAIT_FOR_FILL_MS)))
    throw new TRPCError({
      code: "SERVICE_UNAVAILABLE",
      message: "the streams are still being read: try again",
    });
  const page = await listPage(hub, { filter, sort: "started", dir: "desc", limit: ROWS_AT_ONCE, after });
  const head = after === undefined ? headOf(format) : "";
  return { text: head + linesOf(page.rows, format), rows: page.rows.length, next: page.next };
}
