/**
 * Questions about the bucket itself: does it exist, may it be created, and does a lifecycle rule abort long uploads?
 */
import {
  CreateBucketCommand,
  GetBucketLifecycleConfigurationCommand,
  type LifecycleRule,
} from "@aws-sdk/client-s3";
import { StoreError } from "@sluice/core";
import type { Question } from "./probe-question.ts";
import type { ProbeSession } from "./probe-session.ts";

/** Lists the bucket at the probe's prefix; creates the bucket first if that is wanted and it is missing. */
export async function reachBucket(
  session: ProbeSession,
  create: boolean,
): Promise<{ list: Awaited<ReturnType<ProbeSession["list"]>>; created: boolean }> {
  const list = async () => await session.list(1);
  try {
    return { list: await list(), created: false };
  } catch (error) {
    if (!create || !(error instanceof StoreError) || error.code !== "NoSuchBucket") throw error;
  }
  const region = await session.connection.config.region();
  const aws = /amazonaws\.com/.test(
    (await session.connection.config.endpoint?.())?.hostname ?? "amazonaws.com",
  );
  // us-east-1 must not be named here; other stores accept no region or their own.
  const place =
    aws && region !== "us-east-1"
      ? { CreateBucketConfiguration: { LocationConstraint: region as never } }
      : {};
  const made = await session.try("CreateBucket", (options) =>
    session.connection.send(new CreateBucketCommand({ Bucket: session.bucket, ...place }), options),
  );
  if (!made.ok && made.refusal.status !== 409) {
    throw new StoreError({
      trouble: "bucket",
      code: made.refusal.code,
      status: made.refusal.status,
      message: `bucket ${session.bucket} is missing and cannot be created: ${made.refusal.message}`,
    });
  }
  return { list: await list(), created: made.ok };
}

interface LifecycleAnswers {
  /** Undefined: no rule does; "unreadable": the rules cannot be read. */
  abortDays: number | undefined | "unreadable";
}

export const BUCKET: readonly Question<{ session: ProbeSession; prefix: string }, LifecycleAnswers>[] = [
  {
    name: "Does a rule abort uploads?",
    asks: "GetBucketLifecycleConfiguration",
    reads:
      "the fewest days of the enabled rules that cover the prefix; `SLUICE_S3_UPLOAD_AGE` takes precedence",
    decides: ["uploadAgeDays"],
    ask: async ({ session, prefix }) => ({ abortDays: await abortRuleDays(session, prefix) }),
  },
];

/** Days after which a lifecycle rule aborts uploads under the prefix. */
async function abortRuleDays(session: ProbeSession, prefix: string): Promise<LifecycleAnswers["abortDays"]> {
  const input = { Bucket: session.bucket };
  const read = await session.try("GetBucketLifecycleConfiguration", (options) =>
    session.connection.send(new GetBucketLifecycleConfigurationCommand(input), options),
  );
  if (!read.ok) return read.refusal.code === "NoSuchLifecycleConfiguration" ? undefined : "unreadable";
  const days = (read.reply.Rules ?? [])
    .filter((rule) => rule.Status === "Enabled" && covers(rule, prefix))
    .flatMap((rule) => rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation ?? []);
  return days.length === 0 ? undefined : Math.min(...days);
}

/** Whether the rule applies to some key under the prefix. */
function covers(rule: LifecycleRule, prefix: string): boolean {
  const ruled = rule.Filter?.Prefix ?? rule.Filter?.And?.Prefix ?? (rule as { Prefix?: string }).Prefix ?? "";
  return ruled.startsWith(prefix) || prefix.startsWith(ruled);
}
