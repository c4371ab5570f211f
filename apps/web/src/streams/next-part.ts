/** What of a stream's lag can go up now, and what is its tail: less than a part, on local disk only until the seal. */
import { nextPartBytes as bytesOfPart } from "@sluice/core/stream/part-plan";
import { lagBytes, type StreamRow } from "./stream-row.ts";

/** Size of the part that comes next; 1 where the record does not say. */
export function nextPartBytes(row: StreamRow): number {
  return bytesOfPart(row.part_plan, row.next_part);
}

/** Bytes past the last full part. Parts of a lag that crosses a step of the plan are counted at the next part's size. */
export function tailBytes(row: StreamRow): number {
  return lagBytes(row) % nextPartBytes(row);
}
