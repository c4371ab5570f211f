/** Bytes of an object, as many as were asked for or an error: a connection that ends early is not an end. */
import type { IncomingMessage } from "node:http";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { LIMITS, type ObjectRef, StoreError } from "@sluice/core";
import type { CallOptions, S3Caller } from "./s3-caller.ts";
import { failureOf, storeError } from "./s3-errors.ts";
import { badReply } from "./s3-replies.ts";
import { TransportError } from "./s3-transport.ts";

/** `range`: from the first byte wanted to the one after the last. */
export async function* readObject(
  caller: S3Caller,
  call: CallOptions,
  ref: ObjectRef,
  range: { from: number; to: number } | undefined,
): AsyncIterable<Uint8Array> {
  if (range && range.to <= range.from) return;
  const over = new AbortController();
  const input = {
    Bucket: ref.bucket,
    Key: ref.key,
    ...(range && { Range: `bytes=${range.from}-${range.to - 1}` }),
  };
  const reply = await caller.call(
    { ...call, abortSignal: over.signal, streamReply: true, deadlineMs: LIMITS.storeControlMs },
    async (options) => await caller.client.send(new GetObjectCommand(input), options),
  );
  const body = reply.Body as IncomingMessage | undefined;
  if (body === undefined) throw badReply(call.what, "no body");
  try {
    if (range && !reply.ContentRange?.startsWith(`bytes ${range.from}-`))
      throw badReply(call.what, "another range");
    let left = range ? range.to - range.from : (reply.ContentLength ?? Number.NaN);
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      left -= chunk.length;
      yield chunk;
    }
    if (left !== 0) throw badReply(call.what, `a body of another length than it said (${left} bytes off)`);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    const failure =
      failureOf(error) ?? failureOf(new TransportError("ConnectionLost", messageOf(error), true, error));
    throw failure ? storeError(failure, call.what, false) : error;
  } finally {
    // Also when the reader stops early: the rest is not wanted.
    body.destroy();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
