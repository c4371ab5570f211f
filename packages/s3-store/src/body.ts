/**
 * Sends a request body at the pace of the socket and of the bandwidth limit; a file range is never held in memory.
 *
 *   Uint8Array ──────────────► the socket takes it in one call, unless there is a limit
 *   RangeBody ── open() ─► chunk ─► slices ─► limit.take ─► socket, which may ask to wait
 */
import { once } from "node:events";
import type { ClientRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { assert } from "@sluice/core";

/** A body that is read while it is sent. Not a Readable, because the SDK prints warnings about those. */
export class RangeBody {
  readonly bytes: number;
  readonly open: () => AsyncIterable<Uint8Array>;
  /** Lower-case hex, if the payload is to be signed. */
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

/** Ends the request after the last byte. Rejects with the error of the source, never because the request failed. */
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

const BANDWIDTH_LIMITS = {
  smallestSliceBytes: 1024,
  largestSliceBytes: 256 * 1024,
  /** A slice is what may be sent in this time, and a pause saves up no more than this. */
  sliceMs: 50,
} as const;

/** All bodies together are sent no faster than the limit; small slices in turn keep every socket busy. */
export class BandwidthLimit {
  readonly bytesPerSecond: number;
  readonly #sliceBytes: number;
  readonly #now: () => number;
  /** When everything taken so far will have been sent, in monotonic ms. */
  #freeAtMs = 0;

  constructor(bytesPerSecond: number, now: () => number = () => performance.now()) {
    this.bytesPerSecond = bytesPerSecond;
    this.#now = now;
    const { smallestSliceBytes, largestSliceBytes, sliceMs } = BANDWIDTH_LIMITS;
    const slice = Math.floor((bytesPerSecond * sliceMs) / 1000);
    this.#sliceBytes = Math.min(largestSliceBytes, Math.max(smallestSliceBytes, slice));
  }

  *slices(bytes: Uint8Array): Iterable<Uint8Array> {
    for (let at = 0; at < bytes.length; at += this.#sliceBytes)
      yield bytes.subarray(at, at + this.#sliceBytes);
  }

  /** Resolves when `bytes` may be sent, in the order of the calls, or at once when `over` aborts. */
  async take(bytes: number, over: AbortSignal): Promise<void> {
    const now = this.#now();
    const startMs = Math.max(this.#freeAtMs, now - BANDWIDTH_LIMITS.sliceMs);
    this.#freeAtMs = startMs + (bytes * 1000) / this.bytesPerSecond;
    if (startMs <= now) return;
    await sleep(startMs - now, undefined, { signal: over }).catch((error: unknown) => {
      if (!over.aborted) throw error;
    });
  }
}
