/** Writes a body to disk as it arrives, hashed on the way, and returns it only if every declared digest is right. */
import { S3Error } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Blob, Blobs } from "../store/blobs.ts";
import type { Declared } from "./declared.ts";
import { type DigestOptions, type DigestResult, Digests } from "./digests.ts";

/** The payload as the sender meant it; its return value are the trailers. */
export type Payload = AsyncGenerator<Buffer, ReadonlyMap<string, string>, undefined>;

export interface Received extends DigestResult {
  readonly size: number;
  readonly blob: Blob;
  /** Removes the stored bytes, for when their row is refused. */
  discard(): Promise<void>;
}

export interface ReceiveOptions extends DigestOptions {
  /** Name of the file, should the body need one. */
  readonly name: string;
  /** Changes a chunk after it is hashed and before it is stored: silent corruption on demand. */
  readonly corrupt?: ((chunk: Buffer, offset: number) => Buffer) | undefined;
}

/** Throws BadDigest, XAmzContentSHA256Mismatch, IncompleteBody, or what the disk throws. Nothing stays on disk then. */
export async function receiveBody(
  payload: Payload,
  blobs: Blobs,
  options: ReceiveOptions,
): Promise<Received> {
  const { declared, corrupt } = options;
  const digests = new Digests(options);
  const writer = blobs.writer(options.name);
  let size = 0;
  try {
    let step = await payload.next();
    for (; step.done !== true; step = await payload.next()) {
      const chunk = step.value;
      digests.update(chunk);
      if (size + chunk.length > declared.length) throw wrongLength();
      await writer.write(corrupt === undefined ? chunk : corrupt(chunk, size));
      size += chunk.length;
    }
    if (size !== declared.length) throw wrongLength();
    const { md5, checksums } = digests.check(step.value);
    const blob = await writer.finish();
    return { size, md5, checksums, blob, discard: () => writer.discard() };
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

const wrongLength = (): S3Error =>
  new S3Error(
    "IncompleteBody",
    "You did not provide the number of bytes specified by the Content-Length HTTP header",
  );

/** A small XML body as text, its declared digests checked. Throws MalformedXML when it is larger than any real one or not UTF-8. */
export async function receiveXml(payload: Payload, declared: Declared): Promise<string> {
  if (declared.length > LIMITS.maxXmlBytes)
    throw new S3Error("MalformedXML", "The XML you provided is too large");
  const digests = new Digests({ declared, md5: false });
  const chunks: Buffer[] = [];
  let size = 0;
  let step = await payload.next();
  for (; step.done !== true; step = await payload.next()) {
    size += step.value.length;
    if (size > declared.length) throw wrongLength();
    digests.update(step.value);
    chunks.push(step.value);
  }
  if (size !== declared.length) throw wrongLength();
  digests.check(step.value);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch (error) {
    throw new S3Error("MalformedXML", "The XML you provided was not UTF-8", { cause: error });
  }
}
