/** Questions about a single Put: which store it is, how it verifies bodies, which conditions it supports. */
import { createHash } from "node:crypto";
import { attributeHeaders } from "./attributes.ts";
import type { ReplyHeaders } from "./connection.ts";
import { askAll, bearsMetadata, isConditionRefused, type Question } from "./probe-question.ts";
import { type ProbeSession, type Proof, proofOf, type Tried } from "./probe-session.ts";
import { namedByItself, type StoreName } from "./profiles.ts";
import { unquoted } from "./replies.ts";
import { storeTrouble } from "./verdict.ts";

export const SERVER: readonly Question<ReplyHeaders, { store: StoreName }>[] = [
  {
    name: "Which store is it?",
    asks: "the headers of the first Put's reply",
    reads: "`Server`, or headers only one store sends; settings and the endpoint's host name take precedence",
    decides: ["store"],
    ask: (headers, { store }) => ({ store: store === "unknown" ? (namedByItself(headers) ?? store) : store }),
  },
];

const BODY = Buffer.from("written by Sluice to find out what this store can do\n");
const OTHER = Buffer.from("not what was sent\n");

export interface WayToPut {
  proof: Proof;
  unsignedPayload: boolean;
}

interface PutScene {
  session: ProbeSession;
  way: WayToPut;
  key: string;
  stored: Tried<ReplyHeaders>;
}

export interface PutAnswers {
  unsignedPayload: boolean;
  /** A body that does not match its CRC32 is refused, which shows that the header is not ignored. */
  crcChecked: boolean;
  md5Checked: boolean;
  etagIsMd5: boolean;
  conditionalPut: boolean;
  bareEtagInConditions: boolean;
  headMissingIs404: boolean;
  metadataKept: boolean;
  /** Codes with which a body that differs from its checksum is refused. */
  wrongChecksumCodes: string[];
}

export const PUT: readonly Question<PutScene, PutAnswers>[] = [
  {
    name: "May a body go unsigned?",
    asks: "Puts with CRC32 or MD5, unsigned or signed, until one is accepted",
    reads: "the first one that is accepted",
    decides: ["unsignedPayload"],
    ask: ({ way }) => ({ unsignedPayload: way.unsignedPayload }),
  },
  {
    name: "Is a body's CRC32 checked?",
    asks: "a Put with the CRC32 of another body",
    reads: "refused: checked. Its code is saved, unless it is a common one",
    decides: ["checksum", "wrongChecksumCodes"],
    ask: async ({ session, way, key, stored }, { wrongChecksumCodes }) => {
      const byCrc = way.proof === "crc32";
      const wrong = byCrc ? await put(session, key, proofOf(OTHER, "crc32"), way, { wrong: true }) : stored;
      return {
        crcChecked: stored.ok && !wrong.ok,
        wrongChecksumCodes: withCode(wrongChecksumCodes, wrong),
      };
    },
  },
  {
    name: "Is a body's MD5 checked?",
    asks: "a Put with the MD5 of another body",
    reads: "refused: checked. Its code is saved, unless it is a common one",
    decides: ["checksum", "wrongChecksumCodes"],
    ask: async ({ session, way, key }, { wrongChecksumCodes }) => {
      const wrong = await put(session, key, proofOf(OTHER, "md5"), way, { wrong: true });
      return { md5Checked: !wrong.ok, wrongChecksumCodes: withCode(wrongChecksumCodes, wrong) };
    },
  },
  {
    name: "Is an object's ETag its MD5?",
    asks: "the reply to a Put",
    reads: "the ETag equals the body's MD5",
    decides: ["etagIsMd5"],
    ask: ({ stored }) => ({ etagIsMd5: etagOf(stored) === createHash("md5").update(BODY).digest("hex") }),
  },
  {
    name: "Does PutObject support conditions?",
    asks: "Puts over an object: only if none exists, with another ETag, with its own ETag in quotes, and without them",
    reads:
      "the first two refused (412, 409, 3xx) and its own ETag accepted; if only without quotes, it is sent that way",
    decides: ["conditionalPut", "bareEtagInConditions"],
    ask: async ({ session, way, key, stored }) => {
      const { headers: _, ...answers } = await askConditions(session, key, etagOf(stored), way);
      return answers;
    },
  },
  {
    name: "Is user metadata kept?",
    asks: "HeadObject",
    reads: "`x-amz-meta-sluice-stream-id` is returned; otherwise the store is refused",
    decides: [],
    ask: async ({ session, key }) => ({ metadataKept: bearsMetadata(await session.head(key)) }),
  },
  {
    name: "How is a missing key answered?",
    asks: "HeadObject of a key that does not exist",
    reads: "404, or anything else",
    decides: ["headMissingIs404"],
    ask: async ({ session, key }) => {
      const missing = await session.head(`${key}-that-is-not-there`);
      return { headMissingIs404: !missing.ok && missing.refusal.status === 404 };
    },
  },
];

/** The best way of writing that the store accepts; the last refusal if there is none. */
export async function findWayToPut(
  session: ProbeSession,
): Promise<Tried<WayToPut & { key: string; headers: ReplyHeaders }>> {
  const key = session.key("object");
  let refused: Tried<never> | undefined;
  for (const proof of ["crc32", "md5"] as const) {
    for (const unsignedPayload of [true, false]) {
      const tried = await put(session, key, proofOf(BODY, proof), { unsignedPayload });
      if (tried.ok) return { ok: true, reply: { proof, unsignedPayload, key, headers: tried.reply } };
      refused = tried;
    }
  }
  return refused as Tried<never>;
}

export async function probePut(session: ProbeSession, way: WayToPut): Promise<PutAnswers> {
  const key = session.key("object");
  const stored = await put(session, key, proofOf(BODY, way.proof), way);
  return await askAll(
    PUT,
    { session, way, key, stored },
    {
      unsignedPayload: false,
      crcChecked: false,
      md5Checked: false,
      etagIsMd5: false,
      conditionalPut: false,
      bareEtagInConditions: false,
      headMissingIs404: false,
      metadataKept: false,
      wrongChecksumCodes: [],
    },
  );
}

export interface ConditionAnswers {
  conditionalPut: boolean;
  bareEtagInConditions: boolean;
}

/**
 * Only the conditions, in the way that is known to work. `leaveNothing`: without the Put that writes, for a bucket
 * whose versions cannot be deleted; an object is put only where none exists.
 */
export async function askConditionsAgain(
  session: ProbeSession,
  way: WayToPut,
  leaveNothing: boolean,
): Promise<Tried<ConditionAnswers & { headers: ReplyHeaders }>> {
  const existing = leaveNothing ? await session.head(session.existingKey("object")) : undefined;
  const etag = existing?.ok === true ? unquoted(existing.reply.ETag) : undefined;
  const key = etag === undefined ? session.key("object") : session.existingKey("object");
  const stored = etag === undefined ? await put(session, key, proofOf(BODY, way.proof), way) : undefined;
  if (stored?.ok === false) return stored;
  const there = etag ?? unquoted(stored?.reply["etag"]);
  const { headers, ...answers } = await askConditions(session, key, there, way, leaveNothing);
  return { ok: true, reply: { ...answers, headers: stored?.reply ?? headers } };
}

/** Puts over the existing object at the key: one that requires no object, one with another ETag, one with its own. */
async function askConditions(
  session: ProbeSession,
  key: string,
  etag: string | undefined,
  way: WayToPut,
  leaveNothing = false,
): Promise<ConditionAnswers & { headers: ReplyHeaders }> {
  const ask = async (condition: Record<string, string>) =>
    await put(session, key, { ...proofOf(BODY, way.proof), ...condition }, way, { wrong: true });
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

async function put(
  session: ProbeSession,
  key: string,
  headers: Record<string, string>,
  { unsignedPayload }: { unsignedPayload: boolean },
  { wrong = false } = {},
): Promise<Tried<ReplyHeaders>> {
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

function etagOf(stored: Tried<ReplyHeaders>): string | undefined {
  return stored.ok ? unquoted(stored.reply["etag"]) : undefined;
}

/** A reply without a code cannot be recognized later. */
function withCode(codes: readonly string[], tried: Tried<unknown>): string[] {
  if (tried.ok || storeTrouble(tried.refusal) === "garbled") return [...codes];
  return tried.refusal.code.startsWith("HTTP") ? [...codes] : [...new Set([...codes, tried.refusal.code])];
}
