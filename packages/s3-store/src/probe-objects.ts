/** What the store does with a single Put: which proof of the bytes it checks, which conditions it keeps, what it tells later. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { crc32ToBase64 } from "@sluice/core";
import { attributeHeaders } from "./attributes.ts";
import type { ProbeSession, Tried } from "./probe-session.ts";
import { unquoted } from "./replies.ts";
import type { ExchangeOptions } from "./transport.ts";
import { storeTrouble } from "./verdict.ts";

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
  /** How a body that differs from its checksum is refused. */
  wrongChecksumCodes: string[];
}

/** The reply's headers. */
async function put(
  session: ProbeSession,
  key: string,
  headers: Record<string, string>,
  unsignedPayload: boolean,
  { wrong = false } = {},
) {
  return await session.put(
    {
      key,
      query: {},
      headers: { ...attributeHeaders(session.attributes), ...headers },
      body: BODY,
      signed: !unsignedPayload,
    },
    { wrong },
  );
}

export interface WayToPut {
  proof: Proof;
  unsignedPayload: boolean;
  key: string;
  /** Of the reply. */
  headers: Readonly<Record<string, string>>;
}

/** The first way of writing the store accepts, the best first; the last refusal when there is none. */
export async function findWayToPut(session: ProbeSession): Promise<Tried<WayToPut>> {
  const key = session.key("object");
  let refused: Tried<never> | undefined;
  for (const proof of ["crc32", "md5"] as const) {
    for (const unsignedPayload of [true, false]) {
      const tried = await put(session, key, proofOf(BODY, proof), unsignedPayload);
      if (tried.ok) return { ok: true, reply: { proof, unsignedPayload, key, headers: tried.reply } };
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
    proof === "crc32"
      ? await put(session, key, proofOf(OTHER, "crc32"), unsignedPayload, { wrong: true })
      : stored;
  const wrongMd5 = await put(session, key, proofOf(OTHER, "md5"), unsignedPayload, { wrong: true });
  const etag = stored.ok ? unquoted(stored.reply["etag"]) : undefined;
  const { conditionalPut, bareEtagInConditions } = await askConditions(session, key, etag, way);
  const found = await head(session, key);
  const missing = await head(session, `${key}-that-is-not-there`);
  return {
    crcChecked: stored.ok && !wrongCrc.ok,
    md5Checked: !wrongMd5.ok,
    unsignedPayload,
    etagIsMd5: etag === createHash("md5").update(BODY).digest("hex"),
    conditionalPut,
    bareEtagInConditions,
    headMissingIs404: !missing.ok && missing.refusal.status === 404,
    metadataKept: found.ok && found.reply.Metadata?.["sluice-stream-id"] !== undefined,
    wrongChecksumCodes: [...new Set([wrongCrc, wrongMd5].flatMap(codeToLearn))],
  };
}

/** A reply without a code says nothing by which it could be known again. */
function codeToLearn(tried: Tried<unknown>): string[] {
  if (tried.ok || storeTrouble(tried.refusal) === "garbled") return [];
  return tried.refusal.code.startsWith("HTTP") ? [] : [tried.refusal.code];
}

export interface ConditionAnswers {
  conditionalPut: boolean;
  bareEtagInConditions: boolean;
}

/**
 * The same questions alone, in the way that is known to work. `leaveNothing`: without the one that writes, for a bucket
 * whose versions cannot be deleted; an object is put only where none stands.
 */
export async function askConditionsAgain(
  session: ProbeSession,
  way: { proof: Proof; unsignedPayload: boolean },
  leaveNothing: boolean,
): Promise<Tried<ConditionAnswers & { headers: Readonly<Record<string, string>> }>> {
  const standing = leaveNothing ? await head(session, session.standingKey("object")) : undefined;
  const etag = standing?.ok === true ? unquoted(standing.reply.ETag) : undefined;
  const key = etag === undefined ? session.key("object") : session.standingKey("object");
  const stored =
    etag === undefined ? await put(session, key, proofOf(BODY, way.proof), way.unsignedPayload) : undefined;
  if (stored?.ok === false) return stored;
  const there = etag ?? unquoted(stored?.reply["etag"]);
  const { headers, ...answers } = await askConditions(session, key, there, way, leaveNothing);
  return { ok: true, reply: { ...answers, headers: stored?.reply ?? headers } };
}

/** Puts over the object that stands at the key: one that must be free, one with another ETag, one with its own. */
export async function askConditions(
  session: ProbeSession,
  key: string,
  etag: string | undefined,
  { proof, unsignedPayload }: { proof: Proof; unsignedPayload: boolean },
  leaveNothing = false,
): Promise<ConditionAnswers & { headers: Readonly<Record<string, string>> }> {
  const ask = async (condition: Record<string, string>) =>
    await put(session, key, { ...proofOf(BODY, proof), ...condition }, unsignedPayload, { wrong: true });
  const taken = await ask({ "if-none-match": "*" });
  const changed = await ask({ "if-match": `"${"0".repeat(32)}"` });
  const refused = isConditionRefused(taken) && isConditionRefused(changed);
  const headers = taken.ok ? taken.reply : taken.refusal.headers;
  if (leaveNothing) return { conditionalPut: refused, bareEtagInConditions: false, headers };
  const matched = await ask({ "if-match": `"${etag}"` });
  const matchedBare = matched.ok ? matched : await ask({ "if-match": `${etag}` });
  return {
    conditionalPut: refused && matchedBare.ok,
    bareEtagInConditions: !matched.ok && matchedBare.ok,
    headers,
  };
}

/** 412 as S3 says it; some stores say it with 304 or another 3xx. */
export function isConditionRefused(tried: Tried<unknown>): boolean {
  if (tried.ok) return false;
  const { status = 0 } = tried.refusal;
  return status === 412 || status === 409 || (status >= 300 && status < 400);
}

export async function head(session: ProbeSession, key: string, checksum = false) {
  const input = { Bucket: session.bucket, Key: key, ...(checksum && { ChecksumMode: "ENABLED" as const }) };
  return await session.try("HeadObject", (options) =>
    session.connection.send(new HeadObjectCommand(input), options),
  );
}

/** Reads an object to its end. An archived one cannot be read, which is no matter of rights. */
export async function get(session: ProbeSession, key: string): Promise<Tried<unknown>> {
  const input = { Bucket: session.bucket, Key: key };
  const read = await session.try("GetObject", async (options) => {
    const streamed: ExchangeOptions = { ...options, streamReply: true };
    const reply = await session.connection.send(new GetObjectCommand(input), streamed);
    return await reply.Body?.transformToByteArray();
  });
  const archived = !read.ok && read.refusal.code === "InvalidObjectState";
  return archived ? { ok: true, reply: undefined } : read;
}
