/** What must be true once every file is quiet and every worker idle: the promises of the product, as a list of breaches. */
import { metadataKeyOf } from "../object/object-key.ts";
import type { StreamRecord } from "../stream/record.ts";
import { isSetApart } from "../stream/set-apart.ts";
import { failed, isLive, kindOf } from "../stream/state.ts";
import { BUCKET, equalBytes, SOURCE } from "./test-values.ts";
import type { World } from "./world.ts";

/** Empty when all is well. */
export function audit(world: World): string[] {
  const records = world.redis.ids().flatMap((id) => world.redis.record(id) ?? []);
  return [
    ...world.workers.flatMap((worker) => worker.bugs.map((bug) => `${worker.id} met a bug: ${String(bug)}`)),
    ...records.flatMap((record) => auditStream(world, record)),
    ...world.disk.paths().flatMap((path) => auditFile(world, path)),
    ...strayUploads(world, records),
    ...strayKeys(world, records),
    ...world.store.takenTwice.map(({ part, uploadId }) => `part ${part} of ${uploadId} was sent twice`),
  ];
}

function auditStream(world: World, record: StreamRecord): string[] {
  const kind = kindOf(record.status);
  if (kind === undefined) return [`${record.id} is in no known state: ${record.status}`];
  if (isLive(kind))
    return [`${record.id} is still ${record.status}, waiting for ${record.waiting_for ?? "nothing"}`];
  if (kind === "failed") return record.owner === undefined ? [] : [`${record.id} failed and has an owner`];
  const key = record.s3_key ?? "";
  const object = world.store.object(BUCKET, key);
  const breaches: string[] = [];
  if (object?.bytes.length !== record.file_size && isLatest(world, record)) {
    breaches.push(
      `the object of ${record.id} has ${object?.bytes.length} bytes, its record ${record.file_size}`,
    );
  }
  if (!world.store.object(BUCKET, metadataKeyOf({ ...record, s3_key: key })))
    breaches.push(`${record.id} has no metadata object`);
  return breaches;
}

/** A later generation replaces the object of an earlier one. */
function isLatest(world: World, record: StreamRecord): boolean {
  return world.redis.done(SOURCE, record.original_path)?.stream_id === record.id;
}

/** An operator wanted it so. */
function isAborted(world: World, path: string): boolean {
  const streams = world.redis.ids().map((id) => world.redis.record(id));
  return streams.some(
    (record) => record?.original_path === path && record.status === failed("aborted_by_operator"),
  );
}

/** Every file is complete and equal to its object, or its stream says why not. */
function auditFile(world: World, path: string): string[] {
  const holder = world.redis.holderOfPath(SOURCE, path);
  if (holder !== undefined) {
    const status = world.redis.record(holder)?.status ?? "gone";
    return status.startsWith("failed_") ? [] : [`${path} is held by ${holder}, which is ${status}`];
  }
  const done = world.redis.done(SOURCE, path);
  // Also at the name of a completed file, whose object stays as it is.
  if (isPlaceholder(world, path)) return [];
  if (!done && isAborted(world, path)) return [];
  if (!done) return [`${path} has neither a stream nor an entry of completed files`];
  const object = world.store.object(BUCKET, done.s3_key);
  if (!object) return [`${path} is done, and ${done.s3_key} is not there`];
  if (!equalBytes(object.bytes, world.disk.bytes(path))) return [`${done.s3_key} differs from ${path}`];
  const described = world.redis.record(done.stream_id) ?? {};
  const metadataObject = world.store.object(BUCKET, metadataKeyOf({ ...described, s3_key: done.s3_key }));
  const text = new TextDecoder().decode(metadataObject?.bytes);
  const metadata = text === "" ? {} : (JSON.parse(text) as { size?: number; crc32?: string | null });
  if (metadata.size !== object.bytes.length)
    return [`the metadata of ${done.s3_key} says ${metadata.size} bytes`];
  return [];
}

/** An empty file that holds the name for one whose bytes come under a temporary name. */
function isPlaceholder({ disk, rules: { temporaryNames } }: World, path: string): boolean {
  const empty = disk.bytes(path).length === 0;
  return empty && disk.paths().some((other) => other !== path && temporaryNames.finalOf(other) === path);
}

/** Only streams that failed keep an upload, and only the one their record names. */
function strayUploads(world: World, records: readonly StreamRecord[]): string[] {
  const kept = new Set(
    records.filter((record) => record.status.startsWith("failed_")).map((record) => record.s3_upload_id),
  );
  return world.store
    .uploads()
    .filter((upload) => !kept.has(upload.uploadId))
    .map((upload) => `${upload.uploadId} of ${upload.key} is left open`);
}

/** Keys are given back by streams that have completed, are gone, or were superseded. */
function strayKeys(world: World, records: readonly StreamRecord[]): string[] {
  const holders = new Map(records.map((record) => [record.id as string, record]));
  return world.redis.takenKeys().flatMap((name) => {
    const key = name.slice(BUCKET.length + 1);
    const by = world.redis.holderOfKey(BUCKET, key) ?? "";
    const holder = holders.get(by);
    const entitled = holder && !isSetApart(holder) && holder.status !== "completed";
    return entitled ? [] : [`${name} is still taken by ${by}`];
  });
}
