/** What the store does with a single Put: which proof of the bytes it checks, which conditions it keeps, what it tells later. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { crc32ToBase64 } from "@sluice/core";
import { attributeHeaders } from "./s3-attributes.ts";
import type { ProbeSession, Tried } from "./s3-probe-session.ts";
import { unquoted } from "./s3-replies.ts";
import type { ExchangeOptions } from "./s3-transport.ts";

const BODY = Buffer.from("written by Sluice to find out what this store can do\n");
const OTHER = Buffer.from("not what was sent\n");

/** How a body proves itself. */
export type Proof = "crc32" | "md5";

/** As headers. */
export function proofOf(body: Uint8Array, proof: Proof): Record<string, string> {
  return proof === "crc32"
    ? { "x-amz-checksum-crc32": crc32ToBase64(crc32(body)) }
    : { "content-md5": createHash("md5").update(body).digest("base64") };
}

export interface PutAnswers {
  /** A body that does not match its CRC32 is refused; not so where the header is ignored. */
  crcChecked: boolean;
  md5Checked: boolean;
  unsignedPayload: boolean;
  etagIsMd5: boolean;
  conditionalPut: boolean;
  bareEtagInConditions: boolean;
  headMissingIs404: boolean;
  metadataKept: boolean;
}

/** The reply's headers. */
async function put(
  session: ProbeSession,
  key: string,
  headers: Record<string, string>,
  unsignedPayload: boolean,
) {
  return await session.put({
    key,
    query: {},
    headers: { ...attributeHeaders(session.attributes), ...headers },
    body: BODY,
    signed: !unsignedPayload,
  });
}

/** The first way of writing the store accepts, the best first; the last refusal when there is none. */
export async function findWayToPut(
  session: ProbeSession,
): Promise<Tried<{ proof: Proof; unsignedPayload: boolean; etag: string | undefined; key: string }>> {
  const key = session.key("object");
  let refused: Tried<never> | undefined;
  for (const proof of ["crc32", "md5"] as const) {
    for (const unsignedPayload of [true, false]) {
      const tried = await put(session, key, proofOf(BODY, proof), unsignedPayload);
      if (tried.ok)
        return { ok: true, reply: { proof, unsignedPayload, etag: unquoted(tried.reply["etag"]), key } };
      refused = tried;
    }
  }
  return refused as Tried<never>;
}

export async function probePut(
  session: ProbeSession,
  way: { proof: Proof; unsignedPayload: boolean },
): Promise<PutAnswers> {
  const { proof, unsignedPayload } = way;
  const key = session.key("object");
  const stored = await put(session, key, proofOf(BODY, proof), unsignedPayload);
  const wrongCrc =
    proof === "crc32" ? await put(session, key, proofOf(OTHER, "crc32"), unsignedPayload) : stored;
  const wrongMd5 = await put(session, key, proofOf(OTHER, "md5"), unsignedPayload);
  const taken = await put(session, key, { ...proofOf(BODY, proof), "if-none-match": "*" }, unsignedPayload);
  const etag = stored.ok ? unquoted(stored.reply["etag"]) : undefined;
  const putIfMatch = async (value: string) =>
    await put(session, key, { ...proofOf(BODY, proof), "if-match": value }, unsignedPayload);
  const changed = await putIfMatch(`"${"0".repeat(32)}"`);
  const matched = await putIfMatch(`"${etag}"`);
  const matchedBare = matched.ok ? matched : await putIfMatch(`${etag}`);
  const found = await head(session, key);
  const missing = await head(session, `${key}-that-is-not-there`);
  return {
    crcChecked: stored.ok && !wrongCrc.ok,
    md5Checked: !wrongMd5.ok,
    unsignedPayload,
    etagIsMd5: etag === createHash("md5").update(BODY).digest("hex"),
    conditionalPut: isPreconditionFailed(taken) && isPreconditionFailed(changed) && matchedBare.ok,
    bareEtagInConditions: !matched.ok && matchedBare.ok,
    headMissingIs404: !missing.ok && missing.refusal.status === 404,
    metadataKept: found.ok && found.reply.Metadata?.["sluice-stream-id"] !== undefined,
  };
}

export function isPreconditionFailed(tried: Tried<unknown>): boolean {
  return !tried.ok && tried.refusal.status === 412;
}

export async function head(session: ProbeSession, key: string, checksum = false) {
  const input = { Bucket: session.bucket, Key: key, ...(checksum && { ChecksumMode: "ENABLED" as const }) };
  return await session.try("HeadObject", (options) =>
    session.client.send(new HeadObjectCommand(input), options),
  );
}

/** Reads an object to its end. An archived one cannot be read, which is no matter of rights. */
export async function get(session: ProbeSession, key: string): Promise<Tried<unknown>> {
  const input = { Bucket: session.bucket, Key: key };
  const read = await session.try("GetObject", async (options) => {
    const streamed: ExchangeOptions = { ...options, streamReply: true };
    const reply = await session.client.send(new GetObjectCommand(input), streamed);
    return await reply.Body?.transformToByteArray();
  });
  const archived = !read.ok && read.refusal.code === "InvalidObjectState";
  return archived ? { ok: true, reply: undefined } : read;
}
