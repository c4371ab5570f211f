/** What stands at a key, and its bytes: as many as were asked for, or an error. A connection that ends early is not an end. */
import type { IncomingMessage } from "node:http";
import { GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { type ByteSpan, type Head, type ObjectRef, StoreError } from "@sluice/core";
import type { CallOptions } from "./caller.ts";
import { failureOf, storeError } from "./errors.ts";
import { badReply, headOf } from "./replies.ts";
import { control, type S3Context } from "./requests.ts";
import { TransportError } from "./transport.ts";

export async function headObject({ caller, profile, checksums }: S3Context, ref: ObjectRef): Promise<Head> {
  const wantsChecksum = checksums.created.kind === "crc32";
  const input = {
    Bucket: ref.bucket,
    Key: ref.key,
    ...(wantsChecksum && { ChecksumMode: "ENABLED" as const }),
  };
  const call = control("HeadObject", ref);
  try {
    return await caller.call<Head>(
      call,
      async (options) => headOf(await caller.client.send(new HeadObjectCommand(input), options), call.what),
      (_failure, answer) => (answer === "missing" ? { kind: "missing" } : undefined),
    );
  } catch (error) {
    // The bucket answers: 403 is how this store says "missing" as well as "denied".
    const denied = error instanceof StoreError && error.trouble === "denied";
    if (denied && !profile.headMissingIs404) return { kind: "unknown" };
    throw error;
  }
}

export async function* readObject(
  { caller }: S3Context,
  ref: ObjectRef,
  range: ByteSpan | undefined,
): AsyncIterable<Uint8Array> {
  const input = {
    Bucket: ref.bucket,
    Key: ref.key,
    ...(range && { Range: `bytes=${range.first}-${range.last}` }),
  };
  const call: CallOptions = { ...control("GetObject", ref), streamReply: true };
  using _slot = await caller.reads.take();
  const reply = await caller.call(
    call,
    async (options) => await caller.client.send(new GetObjectCommand(input), options),
  );
  const body = reply.Body as IncomingMessage | undefined;
  if (body === undefined) throw badReply(call.what, "no body");
  try {
    if (range && !reply.ContentRange?.startsWith(`bytes ${range.first}-`))
      throw badReply(call.what, "another range");
    let left = reply.ContentLength ?? Number.NaN;
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
