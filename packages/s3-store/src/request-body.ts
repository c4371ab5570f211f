/** A request body leaves at the pace of the socket and of the bandwidth limit; a file range is never held in memory. */
import { once } from "node:events";
import type { ClientRequest } from "node:http";
import { assert } from "@sluice/core";
import type { BandwidthLimit } from "./bandwidth.ts";

/** A body read while it is sent. Not a Readable: the SDK warns of those on the console. */
export class RangeBody {
  readonly bytes: number;
  readonly open: () => AsyncIterable<Uint8Array>;
  /** Lower-case hex, where the payload is to be signed. */
  readonly sha256: string | undefined;

  constructor(bytes: number, open: () => AsyncIterable<Uint8Array>, sha256?: string) {
    this.bytes = bytes;
    this.open = open;
    this.sha256 = sha256;
  }
}

export type RequestBody = string | Uint8Array | RangeBody;

export function isRangeBody(body: RequestBody): body is RangeBody {
  return body instanceof RangeBody;
}

/** Ends the request after the last byte. Rejects with what the source threw, never because the request failed. */
export async function sendBody(
  req: ClientRequest,
  body: RequestBody,
  bandwidth: BandwidthLimit | undefined,
  over: AbortSignal,
): Promise<void> {
  const source = isRangeBody(body) ? body.open() : [typeof body === "string" ? Buffer.from(body) : body];
  let sent = 0;
  for await (const chunk of source) {
    for (const slice of bandwidth ? bandwidth.slices(chunk) : [chunk]) {
      await bandwidth?.take(slice.length, over);
      if (over.aborted) return;
      sent += slice.length;
      if (!req.write(slice)) await drained(req, over);
      if (over.aborted) return;
    }
  }
  assert(!isRangeBody(body) || sent === body.bytes, "a range gives as many bytes as were announced");
  req.end();
}

async function drained(req: ClientRequest, over: AbortSignal): Promise<void> {
  try {
    await once(req, "drain", { signal: over });
  } catch (error) {
    // The request's own error handler reports it; here it only ends the wait.
    if (!over.aborted && !req.destroyed) throw error;
  }
}
