/** What the probe found out about the bucket: every right, every capability, and who cleans up after us. Pure. */
import { formatDuration } from "@sluice/control/units";
import type { StoreError, StoreProfile } from "@sluice/core";
import { notesOf, type S3Profile, type StoreAnswers } from "@sluice/s3-store";
import { safeguardOffBecause } from "../start/worker-settings.ts";
import { finding, ok, type Finding } from "./finding.ts";

interface Capability {
  id: string;
  has(profile: S3Profile): boolean;
  present: string;
  /** What its absence means. */
  absent: string;
  remedy?: string;
}

const CAPABILITIES: readonly Capability[] = [
  {
    id: "full_object_checksum",
    has: ({ checksum }) => checksum === "full-object",
    present: "CRC32 of whole objects is checked and kept.",
    absent: "No CRC32 of whole objects: objects are compared by size and ETag.",
  },
  {
    id: "body_checksum",
    has: ({ checksum }) => checksum !== "off",
    present: "Bodies are checked on arrival.",
    absent: "The store checks no bodies: damage on the way is not seen by it.",
  },
  {
    id: "conditional_put",
    has: ({ conditionalPut }) => conditionalPut,
    present: "PutObject knows conditions.",
    absent: "PutObject knows no conditions: HeadObject is asked first for every small file.",
  },
  {
    id: "conditional_complete",
    has: ({ conditionalComplete }) => conditionalComplete,
    present: "Complete knows conditions: no object of another program is ever overwritten.",
    absent:
      "Complete knows no conditions: HeadObject is asked right before, which leaves a window of one request in which another program's object could be overwritten.",
    remedy: "Let no other program write under this prefix.",
  },
  {
    id: "if_match_on_complete",
    has: ({ ifMatchOnComplete }) => ifMatchOnComplete === "honoured",
    present: "Complete replaces an object only while it is the one that was seen.",
    absent:
      "Complete ignores If-Match or refuses it always: before a reopened file replaces its own object HeadObject is asked right before, which leaves a window of one request.",
  },
  {
    id: "list_parts_ends",
    has: ({ listPartsEndsWithComplete, listPartsEndsWithAbort }) =>
      listPartsEndsWithComplete && listPartsEndsWithAbort,
    present: "ListParts says when an upload has ended.",
    absent:
      "ListParts answers for uploads that have ended: what it lists proves nothing after a lost reply, HeadObject decides.",
  },
  {
    id: "repeat_complete",
    has: ({ repeatComplete }) => repeatComplete,
    present: "A repeated Complete is answered again.",
    absent: "A repeated Complete is not answered again: after a lost reply HeadObject decides.",
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
    present: "A missing key is answered with 404.",
    absent: "A missing key is answered with 403: missing cannot be told from denied.",
    remedy: "Grant ListBucket on the prefix.",
  },
  {
    id: "uploads_by_prefix",
    has: ({ listsUploadsByPrefix }) => listsUploadsByPrefix,
    present: "Open uploads are listed by prefix.",
    absent: "Open uploads are not found by prefix: the whole bucket is listed instead.",
  },
  {
    id: "unequal_parts",
    has: ({ unequalParts }) => unequalParts,
    present: "Parts may differ in size.",
    absent: "All parts must have one size: the uniform part plan is used.",
    remedy: "Set SLUICE_EXPECTED_MAX_SIZE to the largest file there will be.",
  },
  {
    id: "copy_ranges",
    has: ({ copiesRanges }) => copiesRanges,
    present: "The store copies ranges inside itself: a completed file that grows sends what is new.",
    absent:
      "The store copies no ranges inside itself: a file that grows after its completion goes up whole again, each time.",
    remedy: "Raise SLUICE_IDLE_TIMEOUT, or use markers, where files are completed before they are finished.",
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

/** Rights the work can do without. */
const OPTIONAL_RIGHTS: ReadonlySet<string> = new Set(["DeleteObject"]);

export function storeFindings(answers: StoreAnswers): Finding[] {
  const { profile, rights, refusals } = answers;
  const refused = rights.map((right) => `${right.right}: `);
  const others = refusals.filter((text) => !refused.some((start) => text.startsWith(start)));
  const findings = [
    ...rights.map((right) => rightFinding(right, refusals)),
    ...others.map((text) => finding("bucket.unfit", "error", text)),
  ];
  // What could not be tried is not judged.
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
      `${right} is refused (${detail}): what the probe writes stays, a few empty objects.`,
    );
  }
  const remedy = refusals.find((text) => text.startsWith(`${right}: `))?.slice(right.length + 2);
  return finding(id, "error", `${right} is refused (${detail}).`, remedy);
}

function capabilityFinding({ id, has, present, absent, remedy }: Capability, profile: S3Profile): Finding {
  return has(profile) ? ok(`bucket.${id}`, present) : finding(`bucket.no_${id}`, "info", absent, remedy);
}

/** A file may grow this long without anyone minding. */
const FEW_DAYS = 7;

function lifecycleFinding({ profile, lifecycle }: StoreAnswers): Finding {
  const { uploadAgeDays: days } = profile;
  if (days !== undefined) {
    const seen = `Uploads are aborted ${days} days after they began; a file that grows longer is sent again from its first byte.`;
    return days >= FEW_DAYS
      ? ok("bucket.lifecycle", seen)
      : finding("bucket.lifecycle_short", "warning", seen, "Give the rule more days.");
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
    "No lifecycle rule aborts incomplete uploads: if no worker ever comes back, their parts stay and are billed.";
  return finding(
    "bucket.no_lifecycle",
    "warning",
    seen,
    "Add a rule that aborts incomplete uploads after 30 days.",
  );
}

/** What a worker found out at work, whatever the probe says now. */
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
        "Check SLUICE_S3_ENDPOINT and the network between; workers wait for the store.",
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
