/** What the probe found out about the bucket: permissions, capabilities, and lifecycle rules. Pure. */
import { endingTitle, endingWords, salvageCommand, type EndingUpload } from "@sluice/control/ending-uploads";
import { formatDuration, plural } from "@sluice/control/units";
import type { StoreError, StoreProfile } from "@sluice/core";
import { notesOf, type S3Profile, type StoreAnswers } from "@sluice/s3-store";
import { safeguardOffBecause } from "../start/worker-settings.ts";
import { finding, ok, type Finding } from "./finding.ts";

interface Capability {
  id: string;
  has(profile: S3Profile): boolean;
  present: string;
  /** The consequence if it is missing. */
  absent: string;
  remedy?: string;
}

const CAPABILITIES: readonly Capability[] = [
  {
    id: "full_object_checksum",
    has: ({ checksum }) => checksum === "full-object",
    present: "CRC32 of whole objects is checked and kept.",
    absent: "The store has no CRC32 of whole objects: objects are compared by size and ETag.",
  },
  {
    id: "body_checksum",
    has: ({ checksum }) => checksum !== "off",
    present: "The store verifies request bodies.",
    absent: "The store does not verify request bodies: it does not notice damage in transit.",
  },
  {
    id: "conditional_put",
    has: ({ conditionalPut }) => conditionalPut,
    present: "PutObject supports conditions.",
    absent: "PutObject does not support conditions: every small file costs a HeadObject first.",
  },
  {
    id: "conditional_complete",
    has: ({ conditionalComplete }) => conditionalComplete,
    present: "Complete supports conditions: no object of another program is ever overwritten.",
    absent:
      "Complete does not support conditions: HeadObject is called right before, which leaves a window of one request in which another program's object could be overwritten.",
    remedy: "Let no other program write under this prefix.",
  },
  {
    id: "if_match_on_complete",
    has: ({ ifMatchOnComplete }) => ifMatchOnComplete === "honoured",
    present: "Complete replaces an object only if it has not changed (If-Match).",
    absent:
      "Complete ignores If-Match or always refuses it: HeadObject is called right before a reopened file replaces its own object, which leaves a window of one request.",
  },
  {
    id: "list_parts_ends",
    has: ({ listPartsEndsWithComplete, listPartsEndsWithAbort }) =>
      listPartsEndsWithComplete && listPartsEndsWithAbort,
    present: "ListParts reports when an upload has ended.",
    absent:
      "ListParts answers for uploads that have ended: after a lost reply its answer proves nothing, and Sluice looks at the object instead.",
  },
  {
    id: "repeat_complete",
    has: ({ repeatComplete }) => repeatComplete,
    present: "A repeated Complete returns the same result.",
    absent: "A repeated Complete fails: after a lost reply Sluice looks at the object instead.",
  },
  {
    id: "etag_is_md5",
    has: ({ etagIsMd5 }) => etagIsMd5,
    present: "ETags are MD5s: a part whose record was lost can be recognised.",
    absent:
      "ETags are not MD5s: a part whose record was lost is sent again unless ListParts shows its checksum.",
  },
  {
    id: "head_missing_is_404",
    has: ({ headMissingIs404 }) => headMissingIs404,
    present: "A missing key gives a 404.",
    absent: "A missing key gives a 403: missing cannot be distinguished from denied.",
    remedy: "Grant ListBucket on the prefix.",
  },
  {
    id: "uploads_by_prefix",
    has: ({ listsUploadsByPrefix }) => listsUploadsByPrefix,
    present: "Open uploads can be listed by prefix.",
    absent: "Open uploads cannot be listed by prefix: the whole bucket is listed instead.",
  },
  {
    id: "unequal_parts",
    has: ({ unequalParts }) => unequalParts,
    present: "Parts may differ in size.",
    absent: "All parts must have one size: the uniform part plan is used.",
    remedy: "Set SLUICE_EXPECTED_MAX_SIZE to the size of the largest expected file.",
  },
  {
    id: "copy_ranges",
    has: ({ copiesRanges }) => copiesRanges,
    present: "The store can copy ranges of objects: when a completed file grows, only new data is sent.",
    absent:
      "The store cannot copy ranges of objects: a file that grows after its completion is uploaded again in full each time.",
    remedy: "Raise SLUICE_IDLE_TIMEOUT, or use markers, if files are completed too early.",
  },
];

/** Asked where tails are to go up: a tail is sent again and again under one number. */
export function safeguardFinding(windowMs: number, profile: Pick<StoreProfile, "replacedParts">): Finding {
  if (windowMs === 0)
    return finding(
      "safeguard.off",
      "info",
      "No safeguard: until a file is complete, what is past its last full part exists on its disk alone.",
      "Set SLUICE_TAIL_SAFEGUARD to the longest time of writes that may be lost with the host.",
    );
  const off = safeguardOffBecause(profile);
  if (off === undefined)
    return ok("safeguard", `Tails of growing files go up every ${formatDuration(windowMs)} at least.`);
  return finding(
    "safeguard.refused",
    "warning",
    off,
    "Set SLUICE_TAIL_SAFEGUARD=off, or use a store that frees replaced parts; a smaller SLUICE_PART_SIZE keeps the tail short.",
  );
}

/** Permissions that uploads do not need. */
const OPTIONAL_RIGHTS: ReadonlySet<string> = new Set(["DeleteObject"]);

export function storeFindings(answers: StoreAnswers): Finding[] {
  const { profile, rights, refusals } = answers;
  const refused = rights.map((right) => `${right.right}: `);
  const others = refusals.filter((text) => !refused.some((start) => text.startsWith(start)));
  const findings = [
    ...rights.map((right) => rightFinding(right, refusals)),
    ...others.map((text) => finding("bucket.unfit", "error", text)),
  ];
  // A failed attempt says nothing about the permission.
  if (refusals.length > 0) return findings;
  return [
    ...findings,
    ...CAPABILITIES.map((capability) => capabilityFinding(capability, profile)),
    lifecycleFinding(answers),
    ...notesOf(profile.store).map((text) => finding("bucket.note", "info", text)),
  ];
}

function rightFinding(
  { right, ok: works, detail }: StoreAnswers["rights"][number],
  refusals: readonly string[],
): Finding {
  const id = `bucket.right.${right}`;
  if (works) return ok(id, `${right} works.`);
  if (OPTIONAL_RIGHTS.has(right)) {
    return finding(
      id,
      "info",
      `${right} is refused (${detail}): a few empty objects written by the probe remain.`,
    );
  }
  const remedy = refusals.find((text) => text.startsWith(`${right}: `))?.slice(right.length + 2);
  return finding(id, "error", `${right} is refused (${detail}).`, remedy);
}

function capabilityFinding({ id, has, present, absent, remedy }: Capability, profile: S3Profile): Finding {
  return has(profile) ? ok(`bucket.${id}`, present) : finding(`bucket.no_${id}`, "info", absent, remedy);
}

/** Files that grow for longer than this are rare. */
const FEW_DAYS = 7;

function lifecycleFinding({ profile, lifecycle }: StoreAnswers): Finding {
  const { uploadAgeDays: days } = profile;
  if (days !== undefined) {
    const [whose, remedy] =
      lifecycle === "rule"
        ? ["A lifecycle rule of the bucket aborts uploads", "Give the rule more days."]
        : [
            "The store aborts uploads",
            "No rule of the bucket says so: it is the limit of the store, or SLUICE_S3_UPLOAD_AGE. End recordings before it, or use another store.",
          ];
    const seen = `${whose} ${plural(days, "day")} after they began; a file that grows longer is sent again from its first byte.`;
    return days >= FEW_DAYS
      ? ok("bucket.lifecycle", seen)
      : finding("bucket.lifecycle_short", "warning", seen, remedy);
  }
  if (lifecycle !== "none") {
    return finding(
      "bucket.lifecycle_unknown",
      "info",
      "Whether the store aborts uploads after some time is unknown.",
      "If it has a limit of its own, set SLUICE_S3_UPLOAD_AGE.",
    );
  }
  const seen =
    "No lifecycle rule aborts incomplete uploads: if no worker runs again, their parts remain and are billed.";
  return finding(
    "bucket.no_lifecycle",
    "warning",
    seen,
    "Add a rule that aborts incomplete uploads after 30 days.",
  );
}

/** What a worker found out during uploads, even if the probe now says otherwise. */
export function demotionFindings(demotions: readonly string[]): Finding[] {
  return demotions.map((text) =>
    finding("bucket.demoted", "warning", text, "Let no other program write under this prefix."),
  );
}

/** The probe did not get an answer to judge. */
export function storeTroubleFinding(error: StoreError, bucket: string): Finding {
  const seen = `${error.code}: ${error.message}`;
  switch (error.trouble) {
    case "unreachable":
    case "failing":
    case "throttled":
      return finding(
        "bucket.unreachable",
        "error",
        seen,
        "Check SLUICE_S3_ENDPOINT and the network; workers wait for the store.",
      );
    case "credentials":
      return finding(
        "bucket.credentials",
        "error",
        seen,
        "Give the credentials the worker has: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role.",
      );
    case "bucket":
      return finding(
        "bucket.missing",
        "error",
        seen,
        `Create the bucket ${bucket}, name another in SLUICE_S3_BUCKET, or grant access to it.`,
      );
    case "denied":
    case "not_ours":
    case "name":
    case "garbled":
    case "rejected":
      return finding("bucket.unfit", "error", seen);
  }
}

/** Uploads that are the only copy of a file's bytes, and that end soon. */
export function endingFindings(uploads: readonly EndingUpload[], nowMs: number): Finding[] {
  const [first] = uploads;
  if (!first) return [];
  const seen = `${endingTitle(uploads)}: ${endingWords(first, nowMs)}.`;
  const remedy = `${salvageCommand(first)} makes an object of it; sluice ls failed and sluice orphans ls list the others.`;
  return [finding("bucket.only_copies_end", "warning", seen, remedy)];
}
