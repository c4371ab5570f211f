/**
 * Finds out what the bucket supports and what the worker may do there, before the first recording depends on it. What
 * could not be determined keeps the cautious value. The answers are plain JSON, saved until the settings change.
 *
 *   list ─► Put, Get, Delete ─► sweep ─► PUT ─► LISTINGS ─► for each checksum mode: COMPLETE, REHEARSAL ─► BUCKET
 *     └────────┴─ permissions: if a required one is missing, the store is refused
 *
 * The questions themselves are tables (probe-question.ts).
 */
import type { ChecksumMode } from "@sluice/core";
import type { ObjectAttributes } from "./attributes.ts";
import type { ReplyHeaders, S3Connection } from "./connection.ts";
import type { S3Failure } from "./errors.ts";
import { BUCKET, reachBucket } from "./probe-bucket.ts";
import {
  askConditionsAgain,
  type ConditionAnswers,
  findWayToPut,
  probePut,
  PUT,
  type PutAnswers,
  SERVER,
} from "./probe-objects.ts";
import { askAll, type Question } from "./probe-question.ts";
import { ProbeSession, type Tried } from "./probe-session.ts";
import {
  COMPLETE,
  type ListingAnswers,
  LISTINGS,
  probeComplete,
  probeListings,
  probeListingsUnopened,
  REHEARSAL,
  rehearse,
  type Way,
} from "./probe-uploads.ts";
import {
  ABORTS_NOTHING_ITSELF,
  limitsOf,
  namedProfile,
  notesOf,
  type S3Profile,
  serverIdentity,
  storeAt,
  type StoreName,
} from "./profiles.ts";

const DAY_MS = 86_400_000;

/** Every question, in order. */
export const QUESTIONS: readonly Omit<Question<never, never>, "ask">[] = [
  ...SERVER,
  ...PUT,
  ...LISTINGS,
  ...COMPLETE,
  ...REHEARSAL,
  ...BUCKET,
];

export interface ProbeOptions extends ObjectAttributes {
  bucket: string;
  /** SLUICE_S3_KEY_PREFIX with its placeholders replaced. */
  prefix: string;
  createBucket: boolean;
  /** The bucket was missing and has just been created: an event of this start, not a saved answer. */
  onBucketCreated?: (() => void) | undefined;
  /** The name of the prober: what a killed probe of the same name left behind is removed first. */
  prober?: string | undefined;
  /** SLUICE_S3_CHECKSUM; absent or "auto": the best mode that the store verifies. */
  checksum?: ChecksumMode | "auto" | undefined;
  /** SLUICE_S3_PROFILE; absent: from the endpoint's host name. */
  store?: StoreName | undefined;
  /** SLUICE_S3_UPLOAD_AGE; absent: from a lifecycle rule or the name. */
  uploadAgeMs?: number | undefined;
}

export interface RightAnswer {
  /** IAM's name without `s3:`. */
  right: string;
  ok: boolean;
  detail: string;
}

export interface StoreAnswers {
  profile: S3Profile;
  rights: RightAnswer[];
  /** What the store lacks or does differently, in words. */
  notes: string[];
  /** Why uploads are impossible here; empty: they are possible. */
  refusals: string[];
  /** Identity of the server; another server is probed again. */
  identity?: string;
  /** The result for conditions on Put, whatever was found out during uploads since. */
  conditions?: ConditionAnswers;
  /** What turned out to be wrong in the profile during uploads, in words. */
  demotions?: string[];
  /** The bucket has versioning and versions may not be deleted, so each probe leaves some. */
  leavesVersions?: boolean;
  lifecycle?: "rule" | "none" | "unknown";
}

/** Rejects with a StoreError if the store is unavailable: unreachable, credentials refused, bucket missing. */
export async function probeStore(connection: S3Connection, options: ProbeOptions): Promise<StoreAnswers> {
  await using session = new ProbeSession(connection, options, options);
  const answers = await askStore(session, options);
  // Nothing is refused on the word of a sign-in page that came between: it would not list the bucket.
  if (answers.refusals.length > 0) await session.list(1);
  return answers;
}

async function askStore(session: ProbeSession, options: ProbeOptions): Promise<StoreAnswers> {
  const profile = namedProfile(options.store ?? storeAt(session.connection.settings.endpoint));
  const answers: StoreAnswers = {
    profile,
    rights: [],
    notes: [...notesOf(profile.store)],
    refusals: [],
  };
  const right = (name: string, tried: Tried<unknown>, needed = true): void =>
    recordRight(answers, name, tried, options, needed);

  const { list, created } = await reachBucket(session, options.createBucket);
  if (created) options.onBucketCreated?.();
  right("ListBucket", list);
  const way = await findWayToPut(session);
  right("PutObject", way);
  if (way.ok) await recogniseServer(answers, way.reply.headers);
  else {
    recordListings(answers, await probeListingsUnopened(session), options);
    return answers;
  }
  right("GetObject", await session.get(way.reply.key));
  const deleted = await session.delete(way.reply.key);
  right("DeleteObject", deleted, false);
  if (deleted.ok) session.deletionWorks();
  await session.sweep();

  const put = await probePut(session, way.reply);
  learnPut(answers, put);
  answers.leavesVersions = session.versioned && !deleted.ok;
  const listings = await probeListings(session, { checksum: "off", unsignedPayload: put.unsignedPayload });
  if (listings.ok) recordListings(answers, listings.reply, options);
  else right("CreateMultipartUpload", listings);
  if (answers.refusals.length === 0) await learnUploads(session, answers, put, options.checksum ?? "auto");
  Object.assign(profile, limitsOf(profile.store));
  await learnLifecycle(session, answers, options);
  describe(answers, put);
  if (answers.leavesVersions) {
    answers.notes.push(
      `The bucket keeps versions, and those of the probe may not be deleted (DeleteObjectVersion on ${options.bucket}/${options.prefix}.sluice-probe/*): a few small ones remain after each full probe, which is only when another server answers.`,
    );
  }
  return answers;
}

/**
 * Whether saved answers are still valid: today's credentials have access to the bucket, the same server answers, and it
 * supports conditions on Put as before. Rejects as `probeStore`.
 */
export async function confirmAnswers(
  connection: S3Connection,
  options: ProbeOptions,
  kept: StoreAnswers,
): Promise<{ refusals: string[]; holds: boolean }> {
  await using session = new ProbeSession(connection, options, options);
  const answers: StoreAnswers = { profile: kept.profile, rights: [], notes: [], refusals: [] };
  const { list, created } = await reachBucket(session, options.createBucket);
  if (created) options.onBucketCreated?.();
  recordRight(answers, "ListBucket", list, options, true);
  if (answers.refusals.length > 0) return { refusals: answers.refusals, holds: false };
  const { leavesVersions = false, conditions } = kept;
  if (kept.rights.some(({ right, ok }) => right === "DeleteObject" && ok)) session.deletionWorks();
  const { checksum, unsignedPayload } = kept.profile;
  const proof = checksum === "full-object" || checksum === "per-part" ? "crc32" : "md5";
  const asked = await askConditionsAgain(session, { proof, unsignedPayload }, leavesVersions);
  // A worker that was killed while it probed left something behind, and may never probe again.
  await session.sweepUploads({ byPrefix: kept.profile.listsUploadsByPrefix });
  if (list.ok && (list.reply.Contents ?? []).length > 0) await session.sweepObjects();
  if (!asked.ok) return { refusals: [], holds: false };
  const { headers, conditionalPut, bareEtagInConditions } = asked.reply;
  const sameConditions =
    conditionalPut === conditions?.conditionalPut &&
    (leavesVersions || bareEtagInConditions === conditions.bareEtagInConditions);
  return { refusals: [], holds: sameConditions && serverIdentity(headers) === kept.identity };
}

/** A store that identifies itself is used under that name, unless the settings or the endpoint's name say otherwise. */
async function recogniseServer(answers: StoreAnswers, headers: ReplyHeaders): Promise<void> {
  answers.identity = serverIdentity(headers);
  const { store } = await askAll(SERVER, headers, { store: answers.profile.store });
  if (store === answers.profile.store) return;
  Object.assign(answers.profile, limitsOf(store), { store });
  answers.notes.push(...notesOf(store));
}

function recordRight(
  answers: StoreAnswers,
  right: string,
  tried: Tried<unknown>,
  { bucket, prefix }: ProbeOptions,
  needed: boolean,
): void {
  answers.rights.push({ right, ok: tried.ok, detail: tried.ok ? "works" : saidBy(tried.refusal) });
  if (tried.ok || !needed) return;
  const where = /^List(Bucket|BucketMultipartUploads)$/.test(right)
    ? `bucket ${bucket}, prefix "${prefix}"`
    : `${bucket}/${prefix}*`;
  const advice =
    tried.refusal.status === 403 ? `allow s3:${right} on ${where}` : `the store refuses it at ${where}`;
  answers.refusals.push(`${right}: ${advice} (${saidBy(tried.refusal)})`);
}

function recordListings(answers: StoreAnswers, listings: ListingAnswers, options: ProbeOptions): void {
  recordRight(answers, "AbortMultipartUpload", listings.abort, options, true);
  recordRight(answers, "ListMultipartUploadParts", listings.listParts, options, true);
  recordRight(answers, "ListBucketMultipartUploads", listings.listUploads, options, true);
  const { listsUploadsByPrefix, listPartsEndsWithAbort } = listings;
  Object.assign(answers.profile, { listsUploadsByPrefix, listPartsEndsWithAbort });
}

function saidBy({ code, status, message }: S3Failure): string {
  return `${code}, HTTP ${status ?? "none"}: ${message}`;
}

function learnPut(answers: StoreAnswers, put: PutAnswers): void {
  const { profile, refusals } = answers;
  const { unsignedPayload, etagIsMd5, conditionalPut, headMissingIs404 } = put;
  Object.assign(profile, { unsignedPayload, etagIsMd5, conditionalPut, headMissingIs404 });
  answers.conditions = { conditionalPut, bareEtagInConditions: put.bareEtagInConditions };
  if (put.bareEtagInConditions) profile.bareEtagInConditions = true;
  if (put.wrongChecksumCodes.length > 0) profile.wrongChecksumCodes = put.wrongChecksumCodes;
  if (!put.metadataKept) {
    refusals.push(
      "User metadata (x-amz-meta-*) is dropped by the store: without it our objects cannot be distinguished from others.",
    );
  }
}

/** The modes worth trying, the best first. A configured mode is the only one. */
function checksumModes(put: PutAnswers, wanted: ChecksumMode | "auto"): ChecksumMode[] {
  if (wanted !== "auto") return [wanted];
  const rest: ChecksumMode = put.md5Checked || put.etagIsMd5 ? "md5" : "off";
  return put.crcChecked ? ["full-object", "per-part", rest] : [rest];
}

async function learnUploads(
  session: ProbeSession,
  { profile, refusals }: StoreAnswers,
  put: PutAnswers,
  wanted: ChecksumMode | "auto",
): Promise<void> {
  let refused: S3Failure | undefined;
  for (const checksum of checksumModes(put, wanted)) {
    const way: Way = { checksum, unsignedPayload: put.unsignedPayload };
    const complete = await probeComplete(session, way, put.bareEtagInConditions);
    if (!complete.wholeChecked && wanted === "auto") continue;
    const tried = await rehearse(session, way, complete, profile);
    if (!tried.ok) {
      refused = tried.refusal;
      continue;
    }
    const { wholeChecked: _checked, ...learned } = complete;
    Object.assign(profile, { checksum, ...learned });
    profile.unequalParts = tried.reply.unequalParts;
    profile.repeatComplete = tried.reply.repeatComplete;
    profile.etagIsMd5 &&= tried.reply.partEtagIsMd5;
    profile.copiesRanges = tried.reply.copiesRanges;
    if (!tried.reply.metadataKept) {
      refusals.push(
        "User metadata given to CreateMultipartUpload is dropped by the store: our objects could not be distinguished from others.",
      );
    }
    return;
  }
  const setting = wanted === "auto" ? "" : ` with SLUICE_S3_CHECKSUM=${wanted}`;
  refusals.push(
    `A multipart upload of two parts fails${setting}: ${refused ? saidBy(refused) : "no checksum mode works"}`,
  );
}

async function learnLifecycle(
  session: ProbeSession,
  answers: StoreAnswers,
  { prefix, uploadAgeMs }: ProbeOptions,
): Promise<void> {
  const { profile, notes } = answers;
  answers.lifecycle = "rule";
  if (uploadAgeMs !== undefined) {
    profile.uploadAgeDays = uploadAgeMs / DAY_MS;
    return;
  }
  const { abortDays: days } = await askAll(BUCKET, { session, prefix }, { abortDays: "unreadable" });
  if (typeof days === "number") profile.uploadAgeDays = Math.min(days, profile.uploadAgeDays ?? days);
  if (profile.uploadAgeDays !== undefined) return;
  // A store may have its own limit, or accept a rule and not apply it: without a statement about either nothing is
  // known.
  if (days === undefined && ABORTS_NOTHING_ITSELF.has(profile.store)) {
    answers.lifecycle = "none";
    notes.push(
      "No lifecycle rule aborts incomplete uploads: if this worker never runs again, its parts remain and are billed. A rule of 30 days is recommended.",
    );
    return;
  }
  answers.lifecycle = "unknown";
  const rules = days === undefined ? "no lifecycle rule does" : "the bucket's lifecycle rules cannot be read";
  notes.push(
    `Whether uploads are aborted after some time is unknown: ${rules}, and the store does not say whether it has a limit of its own. If it has one, set SLUICE_S3_UPLOAD_AGE.`,
  );
}

function describe({ profile, notes }: StoreAnswers, put: PutAnswers): void {
  const say = (lacks: boolean, text: string): void => void (lacks && notes.push(text));
  const { checksum } = profile;
  say(
    profile.uploadAgeDays !== undefined,
    `Uploads are aborted ${profile.uploadAgeDays} days after they began; a file that grows for longer is uploaded again from its first byte.`,
  );
  say(
    checksum === "md5",
    "The store does not verify CRC32: every body is sent with its MD5, and objects are compared by size and ETag.",
  );
  say(
    checksum === "per-part",
    "The store has no checksum of a whole object: parts are verified individually, objects by their size.",
  );
  say(checksum === "off", "The store does not verify request bodies: it does not notice damage in transit.");
  say(
    checksum === "md5" && !put.md5Checked,
    "A body that differs from its MD5 is not refused by the store; only the ETag in its reply shows it.",
  );
  say(
    !profile.etagIsMd5,
    "ETags are not MD5s: a part whose record was lost is sent again unless ListParts shows its checksum.",
  );
  say(
    !profile.conditionalComplete,
    "Complete does not support conditions: HeadObject is called right before, which leaves a window of one request in which another program's object could be overwritten.",
  );
  say(
    profile.conditionalComplete && profile.ifMatchOnComplete === "refused_always",
    "Complete refuses every If-Match, even a correct one: HeadObject is called right before a reopened file replaces its own object, which leaves a window of one request.",
  );
  say(
    profile.conditionalComplete && profile.ifMatchOnComplete === "ignored",
    "Complete ignores If-Match: HeadObject is called right before a reopened file replaces its own object, which leaves a window of one request.",
  );
  say(
    !profile.listPartsEndsWithComplete || !profile.listPartsEndsWithAbort,
    "ListParts answers for uploads that have ended: after a lost reply its answer proves nothing, and Sluice looks at the object instead.",
  );
  say(
    !profile.conditionalPut,
    "PutObject does not support conditions: every small file costs a HeadObject first.",
  );
  say(
    !profile.repeatComplete,
    "A repeated Complete fails: after a lost reply Sluice looks at the object instead.",
  );
  say(!profile.headMissingIs404, "A missing key gives a 403: grant ListBucket on the prefix.");
  say(
    !profile.listsUploadsByPrefix,
    "ListMultipartUploads does not list uploads by prefix: the whole bucket is listed instead.",
  );
  say(
    !profile.unequalParts,
    "All parts must have one size: the uniform part plan is used, set SLUICE_EXPECTED_MAX_SIZE to the largest file.",
  );
  say(
    !profile.copiesRanges,
    "The store cannot copy ranges of objects: a file that grows after its completion is uploaded again in full each time.",
  );
}
