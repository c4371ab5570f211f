/** What the store does with multipart uploads: tiny ones for each question, then one as the work will do it. */
import { crc32 } from "node:zlib";
import { createHash } from "node:crypto";
import {
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
} from "@aws-sdk/client-s3";
import { type ChecksumMode, crc32ToBase64, type IfMatchOnComplete, LIMITS } from "@sluice/core";
import { head, isConditionRefused, proofOf } from "./probe-objects.ts";
import type { ProbeSession, Tried } from "./probe-session.ts";
import { unquoted } from "./replies.ts";
import type { ExchangeOptions } from "./transport.ts";

const SMALLEST_PART_BYTES = 5 * 1024 ** 2;

/** How the work would use the store. */
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

type Extras = Partial<
  Pick<
    CompleteMultipartUploadCommandInput,
    "IfMatch" | "IfNoneMatch" | "MpuObjectSize" | "ChecksumCRC32" | "ChecksumType"
  >
>;

export async function open(session: ProbeSession, name: string, way: Way): Promise<Tried<Open>> {
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

export async function send(session: ProbeSession, upload: Open, bytes: Buffer): Promise<Tried<string>> {
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

export async function complete(
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

async function tiny(session: ProbeSession, way: Way): Promise<Open | undefined> {
  const opened = await open(session, "upload", way);
  if (!opened.ok) return undefined;
  return (await send(session, opened.reply, Buffer.from("1"))).ok ? opened.reply : undefined;
}

function wholeCrc(upload: Open, wrong = false): Extras {
  const crc = upload.parts.reduce((so, part) => crc32(part.bytes, so), 0);
  return upload.way.checksum === "full-object"
    ? { ChecksumCRC32: crc32ToBase64(wrong ? crc ^ 1 : crc), ChecksumType: "FULL_OBJECT" }
    : {};
}

export interface UploadAnswers {
  conditionalComplete: boolean;
  ifMatchOnComplete: IfMatchOnComplete;
  listPartsEndsWithComplete: boolean;
  objectSizeInComplete: boolean;
  checksumsInComplete: boolean;
  /** A wrong checksum of the whole object is refused; true where none is sent. */
  wholeChecked: boolean;
}

/** Asked with uploads of one byte. `way` is one that is known to work. */
export async function probeComplete(
  session: ProbeSession,
  way: Way,
  bareEtag: boolean,
): Promise<UploadAnswers> {
  const composite = way.checksum === "per-part";
  const answers: UploadAnswers = {
    conditionalComplete: false,
    ifMatchOnComplete: "ignored",
    listPartsEndsWithComplete: false,
    objectSizeInComplete: false,
    checksumsInComplete: composite,
    wholeChecked: way.checksum !== "full-object",
  };
  // The key is taken by the first upload, so that a condition has something to find.
  const first = await tiny(session, way);
  if (first) {
    const whole = way.checksum === "full-object";
    const done = await complete(session, first, whole || composite, wholeCrc(first));
    if (whole) answers.checksumsInComplete = done.ok;
    if (!done.ok) await complete(session, first, composite, wholeCrc(first));
    answers.listPartsEndsWithComplete = await isUnknown(session, first);
  }
  // VersityGW refuses a list without them: whatever is asked, it must not be that which is refused.
  const listed = answers.checksumsInComplete;
  const conditional = await tiny(session, way);
  if (conditional) {
    const extras = { ...wholeCrc(conditional), IfNoneMatch: "*" };
    const refused = await complete(session, conditional, listed, extras, { wrong: true });
    answers.conditionalComplete = isConditionRefused(refused);
  }
  answers.ifMatchOnComplete = await askIfMatch(session, way, listed, bareEtag);
  const wrongSize = await tiny(session, way);
  if (wrongSize) {
    const whole = wholeCrc(wrongSize);
    const refused = !(
      await complete(session, wrongSize, listed, { ...whole, MpuObjectSize: 2 }, { wrong: true })
    ).ok;
    // A store that refuses the header itself refuses the right size too.
    answers.objectSizeInComplete =
      refused && (await complete(session, wrongSize, listed, { ...whole, MpuObjectSize: 1 })).ok;
  }
  const wrongCrc = answers.wholeChecked ? undefined : await tiny(session, way);
  if (wrongCrc)
    answers.wholeChecked = !(
      await complete(session, wrongCrc, listed, wholeCrc(wrongCrc, true), { wrong: true })
    ).ok;
  return answers;
}

/** First with an ETag that nothing has, then with that of the object that stands there. */
async function askIfMatch(
  session: ProbeSession,
  way: Way,
  listed: boolean,
  bareEtag: boolean,
): Promise<IfMatchOnComplete> {
  const spelled = (etag: string): string => (bareEtag ? etag : `"${etag}"`);
  const wrong = await tiny(session, way);
  if (!wrong) return "ignored";
  const extras = { ...wholeCrc(wrong), IfMatch: spelled("0".repeat(32)) };
  if ((await complete(session, wrong, listed, extras, { wrong: true })).ok) return "ignored";
  const right = await tiny(session, way);
  const standing = right && (await head(session, right.key));
  const etag = standing?.ok === true ? unquoted(standing.reply.ETag) : undefined;
  if (!right || etag === undefined) return "refused_always";
  const matching = { ...wholeCrc(right), IfMatch: spelled(etag) };
  const done = await complete(session, right, listed, matching, { wrong: true });
  return done.ok ? "honoured" : "refused_always";
}

/** Whether ListParts says that the upload has ended. */
async function isUnknown(session: ProbeSession, upload: Pick<Open, "key" | "uploadId">): Promise<boolean> {
  const listed = await session.try("ListParts", (options) =>
    session.connection.send(new ListPartsCommand(place(session, upload)), options),
  );
  return !listed.ok && listed.refusal.status === 404;
}

export interface Rehearsal {
  partEtagIsMd5: boolean;
  repeatComplete: boolean;
  metadataKept: boolean;
}

/** One upload of two parts, as the work does it. `unequal`: the last part is the larger one. */
export async function rehearse(
  session: ProbeSession,
  way: Way,
  answers: UploadAnswers,
  unequal: boolean,
): Promise<Tried<Rehearsal>> {
  const opened = await open(session, "upload", way);
  if (!opened.ok) return opened;
  const upload = opened.reply;
  const first = Buffer.alloc(SMALLEST_PART_BYTES);
  for (const bytes of [first, Buffer.alloc(unequal ? SMALLEST_PART_BYTES + 1 : 1)]) {
    const sent = await send(session, upload, bytes);
    if (!sent.ok) return sent;
  }
  const size = upload.parts.reduce((sum, part) => sum + part.bytes.length, 0);
  const extras = { ...wholeCrc(upload), ...(answers.objectSizeInComplete && { MpuObjectSize: size }) };
  const done = await complete(session, upload, answers.checksumsInComplete, extras);
  if (!done.ok) return done;
  const again = await complete(session, upload, answers.checksumsInComplete, extras);
  const found = await head(session, upload.key, way.checksum === "full-object");
  const [part] = upload.parts;
  return {
    ok: true,
    reply: {
      partEtagIsMd5: part?.ETag === createHash("md5").update(first).digest("hex"),
      repeatComplete: again.ok && unquoted(again.reply.ETag) !== undefined,
      metadataKept: found.ok && found.reply.Metadata?.["sluice-stream-id"] !== undefined,
    },
  };
}

export interface ListingAnswers {
  listsUploadsByPrefix: boolean;
  listPartsEndsWithAbort: boolean;
  listUploads: Tried<unknown>;
  listParts: Tried<unknown>;
  abort: Tried<unknown>;
}

/** The same three rights where no upload can be opened: one that does not exist is enough to be denied. */
export async function probeListingsUnopened(session: ProbeSession): Promise<ListingAnswers> {
  const key = session.key("upload");
  const uploadId = "no-such-upload";
  const input = { Bucket: session.bucket, Prefix: key };
  const known = (tried: Tried<unknown>): Tried<unknown> =>
    tried.ok || tried.refusal.status === 403 ? tried : { ok: true, reply: undefined };
  return {
    listsUploadsByPrefix: false,
    listPartsEndsWithAbort: false,
    listUploads: await session.try("ListMultipartUploads", (options) =>
      session.connection.send(new ListMultipartUploadsCommand(input), options),
    ),
    listParts: known(
      await session.try("ListParts", (options) =>
        session.connection.send(new ListPartsCommand(place(session, { key, uploadId })), options),
      ),
    ),
    abort: known(await session.abort(uploadId, key)),
  };
}

/** Opens an upload, looks for it in both listings and aborts it. */
export async function probeListings(session: ProbeSession, way: Way): Promise<Tried<ListingAnswers>> {
  const opened = await open(session, "upload", way);
  if (!opened.ok) return opened;
  const { key, uploadId } = opened.reply;
  // Some stores go on to list the parts of an upload that has ended: it has one.
  await send(session, opened.reply, Buffer.from("1"));
  const input = { Bucket: session.bucket, Prefix: key.slice(0, -1) };
  const uploads = await session.try("ListMultipartUploads", (options) =>
    session.connection.send(new ListMultipartUploadsCommand(input), options),
  );
  const listParts = await session.try("ListParts", (options) =>
    session.connection.send(new ListPartsCommand(place(session, { key, uploadId })), options),
  );
  const found = uploads.ok && (uploads.reply.Uploads ?? []).some((upload) => upload.UploadId === uploadId);
  const abort = await session.abort(uploadId, key);
  const listPartsEndsWithAbort = abort.ok && (await isUnknown(session, { key, uploadId }));
  return {
    ok: true,
    reply: { listsUploadsByPrefix: found, listPartsEndsWithAbort, listUploads: uploads, listParts, abort },
  };
}
