/** Records as the founding phase left them: plain sets, the fields of its document alone, uploads without ids of ours. */
import { randomBytes } from "node:crypto";
import { BUCKET, PART, writeWhole, type Rig } from "../rig.ts";

export interface Founding {
  id: string;
  path: string;
  uploadId: string;
}

/** A recording of one part sent and a tail not sent, its record in a plain set, and nothing of ours in it. */
export async function leaveFounding(
  rig: Rig,
  name: string,
  over: Readonly<Record<string, string>> = {},
  index = "streams:active",
): Promise<Founding> {
  const bytes = randomBytes(PART + 100);
  const path = writeWhole(rig, name, bytes);
  const uploadId = await rig.bucket.createUpload(name);
  const ETag = await rig.bucket.uploadPart(name, uploadId, 1, bytes.subarray(0, PART));
  const id = `founding-${name}`;
  const { redis } = rig.records;
  const meta = { original_path: path, s3_bucket: BUCKET, s3_key_prefix: "", s3_upload_id: uploadId, ...over };
  await redis.hset(`stream:${id}:meta`, meta);
  await redis.hset(`stream:${id}:parts`, "1", JSON.stringify({ PartNumber: 1, ETag, Size: PART }));
  await redis.sadd(index, id);
  return { id, path, uploadId };
}
