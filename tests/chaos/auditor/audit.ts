/**
 * The judge. It imports nothing of ours: it hashes files, gets objects with its own client, reads Redis through redis-cli
 * and counts what the proxy saw. What it returns is data: the places where a promise was broken.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { listKeys, listUploads, readObject, readText, type Target } from "./bucket.ts";
import { readRecords, type RecordsSeen } from "./records.ts";
import { judgeTraffic, objectsMade, type Request } from "./traffic.ts";

export interface Expected {
  path: string;
  key: string;
  /** Where another program's object stands at `<key>.metadata.json`. */
  metadataKey?: string;
  /** Of its bytes, where the file is not there any more. */
  sha256?: string;
  /** Times the object may have been made. Default 1: a second version is a fault. */
  versions?: number;
  /** The stream's record may be gone: history is over, or Redis was emptied after it was completed. */
  recordGone?: boolean;
  /** The file was deleted after its upload, and a rescan may have taken its entry. */
  doneGone?: boolean;
}

export interface Case {
  target: Target;
  redisPort: number;
  source: string;
  files: readonly Expected[];
  /** Paths of streams that rightly failed, with the states they may have. */
  failed?: readonly { path: string; statuses: readonly string[] }[];
  /** Objects of other programs: key → sha256. They stand untouched. */
  foreign?: Readonly<Record<string, string>>;
  /** Uploads that are rightly kept. */
  openUploads?: number;
  /** Uploads without a part, which nobody can prove theirs once Redis was emptied. */
  emptyUploads?: "none" | "allowed";
  requests: readonly Request[];
}

export interface Audit {
  problems: string[];
  figures: {
    files: number;
    bytes: number;
    acknowledgedParts: number;
    acknowledgedBytes: number;
    excusedAgainBytes: number;
    openUploads: number;
    emptyUploads: number;
  };
}

export async function audit(asked: Case): Promise<Audit> {
  const traffic = judgeTraffic(asked.requests);
  const [records, uploads, keys] = await Promise.all([
    readRecords(asked.redisPort),
    listUploads(asked.target),
    listKeys(asked.target),
  ]);
  const problems = [...traffic.problems, ...judgeRecords(asked, records)];
  let bytes = 0;
  for (const file of asked.files) {
    const { size, problems: found } = await judgeFile(asked, file);
    bytes += size;
    problems.push(...found);
  }
  for (const [key, sha256] of Object.entries(asked.foreign ?? {})) {
    const object = await readObject(asked.target, key);
    if (object?.sha256 !== sha256) problems.push(`the object of another program at ${key} was touched`);
  }
  const empty = asked.emptyUploads === "allowed" ? uploads.filter(({ parts }) => parts === 0) : [];
  const open = uploads.length - empty.length;
  if (open !== (asked.openUploads ?? 0)) {
    problems.push(`${open} open uploads, expected ${asked.openUploads ?? 0}: ${JSON.stringify(uploads)}`);
  }
  problems.push(...strayObjects(asked, keys));
  return {
    problems,
    figures: {
      files: asked.files.length,
      bytes,
      acknowledgedParts: traffic.acknowledgedParts,
      acknowledgedBytes: traffic.acknowledgedBytes,
      excusedAgainBytes: traffic.excusedAgainBytes,
      openUploads: open,
      emptyUploads: empty.length,
    },
  };
}

async function judgeFile(asked: Case, file: Expected): Promise<{ size: number; problems: string[] }> {
  const sha256 = file.sha256 ?? (await hashFile(file.path));
  const object = await readObject(asked.target, file.key);
  if (object === undefined) return { size: 0, problems: [`no object at ${file.key}`] };
  const problems: string[] = [];
  if (object.sha256 !== sha256)
    problems.push(`the object at ${file.key} is not its file (${object.size} bytes)`);
  const made = objectsMade(asked.requests, file.key);
  if (made > (file.versions ?? 1)) problems.push(`the object at ${file.key} was made ${made} times`);
  const text = await readText(asked.target, metadataKeyOf(file));
  const metadata = text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>);
  if (metadata === undefined) problems.push(`no metadata object for ${file.key}`);
  else if (metadata["size"] !== object.size || metadata["key"] !== file.key) {
    problems.push(
      `the metadata of ${file.key} tells of ${String(metadata["size"])} bytes at ${String(metadata["key"])}`,
    );
  }
  return { size: object.size, problems };
}

function metadataKeyOf({ key, metadataKey = `${key}.metadata.json` }: Expected): string {
  return metadataKey;
}

function judgeRecords(asked: Case, seen: RecordsSeen): string[] {
  const problems = seen.phantoms.map((id) => `an index names ${id}, which has no record`);
  for (const { id, status, indexes } of seen.streams) {
    if (indexes.length !== 1) problems.push(`stream ${id} (${status}) is in ${indexes.length} indexes`);
  }
  const expected = new Map(asked.files.map((file) => [file.path, file]));
  const mayFail = new Map(asked.failed?.map(({ path, statuses }) => [path, statuses]));
  for (const { id, status, path } of seen.streams) {
    if (status === "completed" && expected.has(path)) continue;
    if (mayFail.get(path)?.includes(status)) continue;
    problems.push(`stream ${id} of ${path} is ${status}`);
  }
  for (const file of asked.files) {
    const completed = seen.streams.filter(({ path, status }) => path === file.path && status === "completed");
    if (completed.length === 0 && !file.recordGone) problems.push(`no completed stream for ${file.path}`);
    if (!file.doneGone && !seen.done.includes(`${asked.source}:${file.path}`))
      problems.push(`${file.path} is not in files:done`);
  }
  for (const { path, statuses } of asked.failed ?? []) {
    if (!seen.streams.some((stream) => stream.path === path && statuses.includes(stream.status))) {
      problems.push(`no stream of ${path} is ${statuses.join(" or ")}`);
    }
  }
  const finished = new Set(seen.streams.filter(({ status }) => status === "completed").map(({ id }) => id));
  const known = new Set(seen.streams.map(({ id }) => id));
  for (const id of seen.claims) {
    if (finished.has(id) || !known.has(id))
      problems.push(`stream ${id} is over and still holds a path or key`);
  }
  return problems;
}

function strayObjects(asked: Case, keys: readonly string[]): string[] {
  const known = new Set([
    ...asked.files.flatMap((file) => [file.key, metadataKeyOf(file)]),
    ...Object.keys(asked.foreign ?? {}),
  ]);
  return keys.filter((key) => !known.has(key)).map((key) => `a stray object at ${key}`);
}

export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest("hex");
}
