/** Questions about multipart uploads: tiny ones for each question, then one in the way the worker does it. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import {
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { type ChecksumMode, crc32ToBase64, type IfMatchOnComplete, LIMITS, StoreError } from "@sluice/core";
import { askAll, bearsMetadata, isConditionRefused, type Question } from "./probe-question.ts";
import { type ProbeSession, proofOf, type Tried } from "./probe-session.ts";
import { limitsOf, type S3Profile } from "./profiles.ts";
import { copySource, unquoted } from "./replies.ts";
import type { ExchangeOptions } from "./transport.ts";

/** How uploads would use the store. */
export interface Way {
  checksum: ChecksumMode;
  unsignedPayload: boolean;
}

interface Open {
  key: string;
  uploadId: string;
  way: Way;
  parts: { PartNumber: number; ETag: string; ChecksumCRC32: string; bytes: Buffer }[];
}

export interface ListingAnswers {
  listsUploadsByPrefix: boolean;
  listPartsEndsWithAbort: boolean;
  listUploads: Tried<unknown>;
  listParts: Tried<unknown>;
  abort: Tried<unknown>;
}

const NOT_ASKED: Tried<unknown> = { ok: true, reply: undefined };
const NO_LISTINGS: ListingAnswers = {
  listsUploadsByPrefix: false,
  listPartsEndsWithAbort: false,
  listUploads: NOT_ASKED,
  listParts: NOT_ASKED,
  abort: NOT_ASKED,
};

export const LISTINGS: readonly Question<{ session: ProbeSession; upload: Open }, ListingAnswers>[] = [
  {
    name: "Are open uploads found by prefix?",
    asks: "ListMultipartUploads with all but the last letter of an upload's key",
    reads: "the upload is listed",
    decides: ["listsUploadsByPrefix"],
    ask: async ({ session, upload: { key, uploadId } }) => {
      const listUploads = await askUploads(session, key.slice(0, -1));
      const found =
        listUploads.ok && (listUploads.reply.Uploads ?? []).some((one) => one.UploadId === uploadId);
      return { listUploads, listsUploadsByPrefix: found };
    },
  },
  {
    name: "May parts be listed?",
    asks: "ListParts of an open upload",
    reads: "refused: the right is missing, and the store is refused",
    decides: [],
    ask: async ({ session, upload }) => ({ listParts: await askParts(session, upload) }),
  },
  {
    name: "Does ListParts end with an abort?",
    asks: "AbortMultipartUpload of an upload with one part, then ListParts",
    reads: "404",
    decides: ["listPartsEndsWithAbort"],
    ask: async ({ session, upload }) => {
      const abort = await session.abort(upload.uploadId, upload.key);
      return { abort, listPartsEndsWithAbort: abort.ok && (await isUnknown(session, upload)) };
    },
  },
];

export async function probeListings(session: ProbeSession, way: Way): Promise<Tried<ListingAnswers>> {
  const opened = await open(session, "upload", way);
  if (!opened.ok) return opened;
  // Some stores keep listing the parts of an upload that has ended, so it needs one.
  await send(session, opened.reply, Buffer.from("1"));
  return { ok: true, reply: await askAll(LISTINGS, { session, upload: opened.reply }, NO_LISTINGS) };
}

/** The same three permissions if no upload can be opened: a nonexistent one is enough to be denied. */
export async function probeListingsUnopened(session: ProbeSession): Promise<ListingAnswers> {
  const key = session.key("upload");
  const uploadId = "no-such-upload";
  const known = (tried: Tried<unknown>): Tried<unknown> =>
    tried.ok || tried.refusal.status === 403 ? tried : { ok: true, reply: undefined };
  return {
    ...NO_LISTINGS,
    listUploads: await askUploads(session, key),
    listParts: known(await askParts(session, { key, uploadId })),
    abort: known(await session.abort(uploadId, key)),
  };
}

async function askUploads(session: ProbeSession, prefix: string) {
  const input = { Bucket: session.bucket, Prefix: prefix };
  return await session.try("ListMultipartUploads", (options) =>
    session.connection.send(new ListMultipartUploadsCommand(input), options),
  );
}

async function askParts(session: ProbeSession, upload: Pick<Open, "key" | "uploadId">) {
  return await session.try("ListParts", (options) =>
    session.connection.send(new ListPartsCommand(place(session, upload)), options),
  );
}

interface CompleteScene {
  session: ProbeSession;
  /** A way that is known to work. */
  way: Way;
  bareEtag: boolean;
  /** Occupies the key, so that a condition has an object to match. */
  first: Open | undefined;
}

export interface CompleteAnswers {
  conditionalComplete: boolean;
  ifMatchOnComplete: IfMatchOnComplete;
  listPartsEndsWithComplete: boolean;
  objectSizeInComplete: boolean;
  checksumsInComplete: boolean;
  /** A wrong checksum of the whole object is refused; true if none is sent. */
  wholeChecked: boolean;
}

/** The first answer applies to the questions after it: VersityGW refuses a list without checksums in any case. */
export const COMPLETE: readonly Question<CompleteScene, CompleteAnswers>[] = [
  {
    name: "May Complete list the parts' checksums?",
    asks: "Complete with them, and if it is refused, without",
    reads: "accepted; if objects have only the checksums of their parts, they must be listed",
    decides: ["checksumsInComplete"],
    ask: async ({ session, way, first }) => {
      if (!first) return {};
      const whole = way.checksum === "full-object";
      const listed = await complete(session, first, whole || isComposite(way), wholeCrc(first));
      if (!listed.ok) await complete(session, first, isComposite(way), wholeCrc(first));
      return whole ? { checksumsInComplete: listed.ok } : {};
    },
  },
  {
    name: "Does ListParts end with Complete?",
    asks: "ListParts of the upload that was completed",
    reads: "404",
    decides: ["listPartsEndsWithComplete"],
    ask: async ({ session, first }) =>
      first ? { listPartsEndsWithComplete: await isUnknown(session, first) } : {},
  },
  {
    name: "Does Complete support If-None-Match?",
    asks: "Complete with `If-None-Match: *` over that object",
    reads: "refused with 412, 409 or 3xx",
    decides: ["conditionalComplete"],
    ask: async ({ session, way }, { checksumsInComplete: listed }) => {
      const upload = await tiny(session, way);
      if (!upload) return {};
      const extras = { ...wholeCrc(upload), IfNoneMatch: "*" };
      const refused = await complete(session, upload, listed, extras, { wrong: true });
      return { conditionalComplete: isConditionRefused(refused) };
    },
  },
  {
    name: "Does Complete support If-Match?",
    asks: "Complete with an ETag of no object, then with that of the object",
    reads: "the first accepted: ignored; both refused: always refused; else supported",
    decides: ["ifMatchOnComplete"],
    ask: async (scene, { checksumsInComplete }) => ({
      ifMatchOnComplete: await askIfMatch(scene, checksumsInComplete),
    }),
  },
  {
    name: "Is the size in Complete checked?",
    asks: "Complete of one byte with `x-amz-mp-object-size: 2`, then 1",
    reads: "the first refused, the second accepted: a store that refuses the header itself refuses both",
    decides: ["objectSizeInComplete"],
    ask: async ({ session, way }, { checksumsInComplete: listed }) => {
      const upload = await tiny(session, way);
      if (!upload) return {};
      const sized = async (MpuObjectSize: number, wrong: boolean) =>
        await complete(session, upload, listed, { ...wholeCrc(upload), MpuObjectSize }, { wrong });
      const refused = !(await sized(2, true)).ok;
      return { objectSizeInComplete: refused && (await sized(1, false)).ok };
    },
  },
  {
    name: "Is the CRC32 of a whole object checked?",
    asks: "Complete with a wrong one, if the mode has one",
    reads: "accepted: the mode is useless, and the next one is tried",
    decides: ["checksum"],
    ask: async ({ session, way }, { wholeChecked, checksumsInComplete: listed }) => {
      const upload = wholeChecked ? undefined : await tiny(session, way);
      if (!upload) return {};
      const refused = await complete(session, upload, listed, wholeCrc(upload, true), {
        wrong: true,
      });
      return { wholeChecked: !refused.ok };
    },
  },
];

export async function probeComplete(
  session: ProbeSession,
  way: Way,
  bareEtag: boolean,
): Promise<CompleteAnswers> {
  const first = await tiny(session, way);
  return await askAll(
    COMPLETE,
    { session, way, bareEtag, first },
    {
      conditionalComplete: false,
      ifMatchOnComplete: "ignored",
      listPartsEndsWithComplete: false,
      objectSizeInComplete: false,
      checksumsInComplete: isComposite(way),
      wholeChecked: way.checksum !== "full-object",
    },
  );
}

async function askIfMatch(
  { session, way, bareEtag }: CompleteScene,
  listed: boolean,
): Promise<IfMatchOnComplete> {
  const spelled = (etag: string): string => (bareEtag ? etag : `"${etag}"`);
  const wrong = await tiny(session, way);
  if (!wrong) return "ignored";
  const extras = { ...wholeCrc(wrong), IfMatch: spelled("0".repeat(32)) };
  if ((await complete(session, wrong, listed, extras, { wrong: true })).ok) return "ignored";
  const right = await tiny(session, way);
  const existing = right && (await session.head(right.key));
  const etag = existing?.ok === true ? unquoted(existing.reply.ETag) : undefined;
  if (!right || etag === undefined) return "refused_always";
  const matching = { ...wholeCrc(right), IfMatch: spelled(etag) };
  const done = await complete(session, right, listed, matching, { wrong: true });
  return done.ok ? "honoured" : "refused_always";
}

function isComposite({ checksum }: Way): boolean {
  return checksum === "per-part";
}

const SMALLEST_PART_BYTES = 5 * 1024 ** 2;

interface RehearsalScene {
  session: ProbeSession;
  upload: Open;
  /** With a larger last part it failed, with parts as S3 always accepts them it works. */
  onlyEqual: boolean;
  /** False: the store is known, by its name, not to copy. */
  mayCopy: boolean;
  completeAgain(): ReturnType<typeof complete>;
}

export interface RehearsalAnswers {
  unequalParts: boolean;
  repeatComplete: boolean;
  partEtagIsMd5: boolean;
  copiesRanges: boolean;
  metadataKept: boolean;
}

export const REHEARSAL: readonly Question<RehearsalScene, RehearsalAnswers>[] = [
  {
    name: "May parts differ in size?",
    asks: "an upload of two parts whose last one is the larger, and if that fails, of two that S3 always accepts",
    reads: "only the second works: they may not. Not asked if it is known by the store's name",
    decides: ["unequalParts"],
    ask: ({ onlyEqual }) => (onlyEqual ? { unequalParts: false } : {}),
  },
  {
    name: "Does a repeated Complete return the same result?",
    asks: "the same Complete once more",
    reads: "2xx with an ETag",
    decides: ["repeatComplete"],
    ask: async ({ completeAgain }) => {
      const again = await completeAgain();
      return { repeatComplete: again.ok && unquoted(again.reply.ETag) !== undefined };
    },
  },
  {
    name: "Does an upload keep user metadata?",
    asks: "HeadObject",
    reads: "`x-amz-meta-sluice-stream-id` is returned; otherwise the store is refused",
    decides: [],
    ask: async ({ session, upload }) => ({
      metadataKept: bearsMetadata(await session.head(upload.key, upload.way.checksum === "full-object")),
    }),
  },
  {
    name: "Is a part's ETag its MD5?",
    asks: "the reply to UploadPart",
    reads: "the ETag equals the part's MD5",
    decides: ["etagIsMd5"],
    ask: ({ upload: { parts } }) => {
      const [part] = parts;
      const md5 = part && createHash("md5").update(part.bytes).digest("hex");
      return { partEtagIsMd5: part !== undefined && part.ETag === md5 };
    },
  },
  {
    name: "Are ranges copied inside the store?",
    asks: "UploadPartCopy of 5 MiB across its parts, with an ETag of no object, then with its own",
    reads:
      "the first refused with 412, the second answered with the digest of just these bytes. Not asked if it is known by the store's name",
    decides: ["copiesRanges"],
    ask: async ({ session, upload, mayCopy }) =>
      mayCopy ? { copiesRanges: await askCopy(session, upload) } : {},
  },
];

/** One upload of two parts, in the way the worker does it. `unequal`: the last part is the larger one. */
async function prepareRehearsal(
  session: ProbeSession,
  way: Way,
  { checksumsInComplete, objectSizeInComplete }: CompleteAnswers,
  unequal: boolean,
): Promise<Tried<Omit<RehearsalScene, "onlyEqual" | "mayCopy">>> {
  const opened = await open(session, "upload", way);
  if (!opened.ok) return opened;
  const upload = opened.reply;
  // Of different bytes, so that a range of them has a distinct digest.
  for (const bytes of [SMALLEST_PART_BYTES, unequal ? SMALLEST_PART_BYTES + 1 : 1]) {
    const sent = await send(session, upload, Buffer.alloc(bytes, upload.parts.length));
    if (!sent.ok) return sent;
  }
  const size = upload.parts.reduce((sum, part) => sum + part.bytes.length, 0);
  const extras = { ...wholeCrc(upload), ...(objectSizeInComplete && { MpuObjectSize: size }) };
  const completeAgain = async () => await complete(session, upload, checksumsInComplete, extras);
  const done = await completeAgain();
  return done.ok ? { ok: true, reply: { session, upload, completeAgain } } : done;
}

/** Unless it is known by name that parts may differ, the last part is first made the larger one. */
export async function rehearse(
  session: ProbeSession,
  way: Way,
  answers: CompleteAnswers,
  { unequalParts, store }: S3Profile,
): Promise<Tried<RehearsalAnswers>> {
  const askSizes = unequalParts && store !== "aws";
  let scene = await prepareRehearsal(session, way, answers, askSizes);
  const onlyEqual = !scene.ok && askSizes;
  if (onlyEqual) scene = await prepareRehearsal(session, way, answers, false);
  if (!scene.ok) return scene;
  const cautious = {
    unequalParts,
    repeatComplete: false,
    partEtagIsMd5: false,
    copiesRanges: false,
    metadataKept: false,
  };
  const mayCopy = limitsOf(store).copiesRanges !== false;
  return { ok: true, reply: await askAll(REHEARSAL, { ...scene.reply, onlyEqual, mayCopy }, cautious) };
}

/** A store that ignores the range or the condition, or creates an empty part from a copy, does not copy as needed. */
async function askCopy(session: ProbeSession, { key, way, parts }: Open): Promise<boolean> {
  const existing = await session.head(key);
  const etag = existing.ok ? unquoted(existing.reply.ETag) : undefined;
  const opened = await open(session, "copy", way);
  if (etag === undefined || !opened.ok) return false;
  const upload = opened.reply;
  const wrong = await copy(session, upload, key, "0".repeat(32));
  if (!wrong || wrong.ok || (wrong.refusal.status !== 412 && wrong.refusal.status !== 304)) return false;
  const right = await copy(session, upload, key, etag);
  const reported = right?.ok === true ? right.reply.CopyPartResult : undefined;
  const { first, last } = COPIED;
  const bytes = Buffer.concat(parts.map((part) => part.bytes)).subarray(first, last + 1);
  if (reported?.ChecksumCRC32 !== undefined) return reported.ChecksumCRC32 === crc32ToBase64(crc32(bytes));
  const reportedEtag = unquoted(reported?.ETag);
  if (reportedEtag === createHash("md5").update(bytes).digest("hex")) return true;
  const listed = reportedEtag === undefined ? undefined : await askParts(session, upload);
  return listed?.ok === true && listed.reply.Parts?.[0]?.Size === bytes.length;
}

/** From its second byte to the first of its second part. */
const COPIED = { first: 1, last: SMALLEST_PART_BYTES };

/** Undefined: a server error, or a 200 that contains an error or nothing, while other requests are answered. */
async function copy(session: ProbeSession, upload: Open, key: string, etag: string) {
  const input = {
    ...place(session, upload),
    PartNumber: 1,
    CopySource: copySource({ bucket: session.bucket, key }),
    CopySourceRange: `bytes=${COPIED.first}-${COPIED.last}`,
    CopySourceIfMatch: `"${etag}"`,
  };
  const send = async (options: ExchangeOptions) =>
    await session.connection.send(new UploadPartCopyCommand(input), { ...options, keptAliveByBytes: true });
  try {
    return await session.try("UploadPartCopy", send, { deadlineMs: LIMITS.storeCompleteMs, wrong: true });
  } catch (error) {
    const answered = error instanceof StoreError && (error.status !== undefined || error.code === "BadReply");
    if (!answered || error.trouble === "throttled") throw error;
    await session.list(1);
    return undefined;
  }
}

type Extras = Partial<
  Pick<
    CompleteMultipartUploadCommandInput,
    "IfMatch" | "IfNoneMatch" | "MpuObjectSize" | "ChecksumCRC32" | "ChecksumType"
  >
>;

async function open(session: ProbeSession, name: string, way: Way): Promise<Tried<Open>> {
  const key = session.key(name);
  const type =
    way.checksum === "full-object" ? "FULL_OBJECT" : way.checksum === "per-part" ? "COMPOSITE" : undefined;
  const input = {
    ...session.attributes,
    Bucket: session.bucket,
    Key: key,
    ...(type !== undefined && {
      ChecksumAlgorithm: "CRC32" as const,
      ChecksumType: type as "FULL_OBJECT" | "COMPOSITE",
    }),
  };
  const created = await session.try("CreateMultipartUpload", (options) =>
    session.connection.send(new CreateMultipartUploadCommand(input), options),
  );
  if (!created.ok) return created;
  const uploadId = created.reply.UploadId ?? "";
  session.uploadOpened(uploadId, key);
  return { ok: true, reply: { key, uploadId, way, parts: [] } };
}

async function send(session: ProbeSession, upload: Open, bytes: Buffer): Promise<Tried<string>> {
  const { checksum, unsignedPayload } = upload.way;
  const PartNumber = upload.parts.length + 1;
  const sent = await session.put({
    key: upload.key,
    query: { partNumber: String(PartNumber), uploadId: upload.uploadId },
    headers: checksum === "off" ? {} : proofOf(bytes, checksum === "md5" ? "md5" : "crc32"),
    body: bytes,
    signed: !unsignedPayload,
  });
  if (!sent.ok) return sent;
  const ETag = unquoted(sent.reply["etag"]) ?? "";
  upload.parts.push({ PartNumber, ETag, ChecksumCRC32: crc32ToBase64(crc32(bytes)), bytes });
  return { ok: true, reply: ETag };
}

async function complete(
  session: ProbeSession,
  upload: Open,
  listed: boolean,
  extras: Extras = {},
  { wrong = false } = {},
) {
  const input = {
    ...place(session, upload),
    ...extras,
    MultipartUpload: {
      Parts: upload.parts.map(({ PartNumber, ETag, ChecksumCRC32 }) =>
        listed ? { PartNumber, ETag: `"${ETag}"`, ChecksumCRC32 } : { PartNumber, ETag: `"${ETag}"` },
      ),
    },
  };
  const done = await session.try(
    "CompleteMultipartUpload",
    (options) => {
      const patient: ExchangeOptions = { ...options, keptAliveByBytes: true };
      return session.connection.send(new CompleteMultipartUploadCommand(input), patient);
    },
    { deadlineMs: LIMITS.storeCompleteMs, wrong },
  );
  if (done.ok) {
    session.uploadEnded(upload.uploadId);
    session.written(upload.key, done.reply.VersionId);
  }
  return done;
}

function place(session: ProbeSession, { key, uploadId }: Pick<Open, "key" | "uploadId">) {
  return { Bucket: session.bucket, Key: key, UploadId: uploadId };
}

/** An upload of one byte. */
async function tiny(session: ProbeSession, way: Way): Promise<Open | undefined> {
  const opened = await open(session, "upload", way);
  if (!opened.ok) return undefined;
  return (await send(session, opened.reply, Buffer.from("1"))).ok ? opened.reply : undefined;
}

/** What Complete sends about the whole object, if the mode has it. */
function wholeCrc(upload: Open, wrong = false): Extras {
  const crc = upload.parts.reduce((so, part) => crc32(part.bytes, so), 0);
  return upload.way.checksum === "full-object"
    ? { ChecksumCRC32: crc32ToBase64(wrong ? crc ^ 1 : crc), ChecksumType: "FULL_OBJECT" }
    : {};
}

/** Whether ListParts says that the upload has ended. */
async function isUnknown(session: ProbeSession, upload: Pick<Open, "key" | "uploadId">): Promise<boolean> {
  const listed = await askParts(session, upload);
  return !listed.ok && listed.refusal.status === 404;
}
