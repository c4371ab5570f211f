/**
 * `verify`: does the object match its record? An item is a stream's id, or the key of an object whose record is no
 * longer kept: its metadata object then replaces the record. Reading back may take hours, so it has its own lane.
 */
import {
  displayPath,
  foreignBucket,
  MAX_METADATA_NUMBER,
  metadataKey,
  type Clock,
  type FileSource,
  type ObjectStore,
  type StreamRecord,
} from "@sluice/core";
import type { RequestRecord, StreamReader } from "@sluice/redis-schema";
import { z } from "zod";
import type { NativeDigests } from "../files/native-digests.ts";
import { readBack, type FileBeside, type SealedFile, type Sha256 } from "./read-back.ts";
import { asJson } from "./request-answers.ts";
import type { Answer, Task } from "./request-desk.ts";
import type { SupervisorLog } from "../streams/supervisor.ts";
import { checkHead, verdictOf, type Check, type Expected } from "./verify-report.ts";

export interface VerifyDeps {
  reader: StreamReader;
  isSourceAlive(source: string): Promise<boolean>;
  store: ObjectStore;
  files: FileSource;
  digests: NativeDigests;
  clock: Clock;
  random(): number;
  source: string;
  bucket: string;
  /** The buckets of this worker; absent: any. */
  buckets?: readonly string[];
  signal: AbortSignal;
  log: SupervisorLog;
}

interface Subject {
  expected: Expected;
  sealed: SealedFile | "elsewhere" | "unknown";
}

type Found = { kind: "subject"; subject: Subject } | Extract<Answer, { kind: "refused" | "pending" }>;

export async function verifyRequest({ item, queued }: Task, deps: VerifyDeps): Promise<Answer> {
  const { request } = queued;
  const found = await findSubject(item, request, deps);
  if (found.kind !== "subject") return found;
  const { subject } = found;
  const head = await deps.store.head(subject.expected);
  const checks = checkHead(subject.expected, head);
  if (request.options?.["deep"] !== true || head.kind !== "found") return asResult(subject, { checks });
  return await verifyDeep(queued, item, subject, checks, deps);
}

async function findSubject(item: string, request: RequestRecord, deps: VerifyDeps): Promise<Found> {
  const { parsed } = await deps.reader.stream(item);
  if (parsed.kind === "record") return await ofRecord(parsed.record, deps);
  if (parsed.kind !== "absent") return { kind: "refused", detail: `its record is ${parsed.kind}` };
  const bucket = request.options?.["bucket"];
  if (bucket !== undefined && bucket !== deps.bucket) return { kind: "pending" };
  return await ofKey(item, deps);
}

async function ofRecord(record: StreamRecord, deps: VerifyDeps): Promise<Found> {
  if (record.source !== deps.source) {
    // Only the bucket is needed, so any worker that has it can verify for a source that is gone.
    const { source, s3_bucket } = record;
    if (s3_bucket !== deps.bucket || (await deps.isSourceAlive(source))) return { kind: "pending" };
  }
  const foreign = foreignBucket(record.s3_bucket, deps.buckets);
  if (foreign !== undefined) return { kind: "refused", detail: foreign };
  if (record.sealed_at_utc === undefined || record.s3_key === undefined) {
    return { kind: "refused", detail: `its object is not finished: the stream is ${record.status}` };
  }
  const { parts } = await deps.reader.parts(record.id);
  const inOrder = [...parts.values()].toSorted((a, b) => a.PartNumber - b.PartNumber);
  return {
    kind: "subject",
    subject: {
      expected: {
        bucket: record.s3_bucket,
        key: record.s3_key,
        size: record.file_size,
        etag: record.etag,
        crc32: record.crc32,
        parts: inOrder,
      },
      sealed: record.source === deps.source ? sealedFile(record) : "elsewhere",
    },
  };
}

function sealedFile(record: StreamRecord): SealedFile | "unknown" {
  const { original_path: path, file_inode: inode, file_mtime_ns: mtimeNs, file_size: size } = record;
  return inode === undefined || mtimeNs === undefined ? "unknown" : { path, facts: { inode, size, mtimeNs } };
}

/** The fields of the metadata object that are needed here. */
const metadataSchema = z.object({
  key: z.string(),
  size: z.number().int().nonnegative(),
  etag: z.string().nullable(),
  crc32: z.string().nullable(),
  parts: z.array(z.object({ Size: z.number().int().nonnegative(), ChecksumCRC32: z.string().nullable() })),
});

/** A metadata object of 10,000 parts has about 2 MiB. */
const MOST_METADATA_BYTES = 16 * 1024 * 1024;

async function ofKey(key: string, { store, bucket }: VerifyDeps): Promise<Found> {
  let unreadable: Found | undefined;
  for (let number = 1; number <= MAX_METADATA_NUMBER; number += 1) {
    const ref = { bucket, key: metadataKey(key, number) };
    const head = await store.head(ref);
    if (head.kind !== "found") break;
    unreadable ??= { kind: "refused", detail: `the metadata object at ${ref.key} cannot be read` };
    if (head.object.size > MOST_METADATA_BYTES) continue;
    const chunks = await Array.fromAsync(store.read(ref));
    const parsed = metadataSchema.safeParse(parseJson(Buffer.concat(chunks).toString("utf8")));
    // A user's file may have that name; the metadata object then has the next one.
    if (parsed.success && parsed.data.key === key) return subjectOf(bucket, parsed.data);
  }
  const nothing = `there is neither a stream ${displayPath(key)} nor a metadata object at ${metadataKey(key)}`;
  return unreadable ?? { kind: "refused", detail: nothing };
}

function subjectOf(bucket: string, metadata: z.output<typeof metadataSchema>): Found {
  const { key, etag, crc32, ...rest } = metadata;
  return {
    kind: "subject",
    subject: {
      expected: { bucket, key, ...rest, etag: etag ?? undefined, crc32: crc32 ?? undefined },
      sealed: "unknown",
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not JSON: another program's object
  }
}

/** A verify that the worker's shutdown interrupts runs again after its next start. */
async function verifyDeep(
  { request }: Task["queued"],
  item: string,
  subject: Subject,
  checks: readonly Check[],
  deps: VerifyDeps,
): Promise<Answer> {
  try {
    const result = await readBack(subject.expected, subject.sealed, deps);
    const { sha256, file } = result;
    return asResult(subject, { checks: [...checks, ...result.checks], sha256, file });
  } catch (error) {
    if (deps.signal.aborted) return { kind: "pending" };
    deps.log.warn({ request_id: request.id, item, err: error }, "a deep verify was interrupted");
    const words = `it could not be read back: ${error instanceof Error ? error.message : String(error)}`;
    const content: Check = { name: "content", ok: null, detail: words };
    return asResult(subject, { checks: [...checks, content], broke: words });
  }
}

interface Outcome {
  checks: readonly Check[];
  sha256?: Sha256;
  file?: FileBeside;
  /** Why not everything could be checked. */
  broke?: string;
}

function asResult(
  { expected: { bucket, key, size } }: Subject,
  { checks, sha256, file, broke }: Outcome,
): Answer {
  const verdict = verdictOf(checks);
  const isFine = verdict.ok && broke === undefined;
  return {
    kind: isFine ? "done" : "failed",
    detail: verdict.ok && broke !== undefined ? broke : verdict.words,
    data: asJson({ s3_bucket: bucket, s3_key: key, size, checks, sha256, file }),
  };
}
