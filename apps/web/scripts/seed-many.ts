/**
 * Creates a hundred thousand streams within seconds: some hundred are written by the schema's own scripts, the others
 * are copies of their keys, made inside Redis, each with its own id, path, key, upload and times.
 */
import { INDEXES, type Index } from "@sluice/core";
import { closeClient, createClient, whenReady, type RedisClient } from "@sluice/redis-schema/connection";
import { keysWith } from "@sluice/redis-schema/keys";
import { parseRedisUrl } from "@sluice/redis-schema/redis-url";
import { seed } from "./seed.ts";
import { hex, ulid } from "./seed-samples.ts";

export interface ManyOptions {
  redisUrl: string;
  /** Total number of streams. */
  streams: number;
  /** Parts of one large growing stream; 0: none. */
  parts?: number;
}

/** All states and reasons of the samples occur within this many streams. */
const TEMPLATES = 420;
/** Copies per pipeline. */
const AT_ONCE = 2_000;

interface Template {
  id: string;
  index: Index;
  meta: Record<string, string>;
}

/** Returns the ids of the written streams, the large one last. */
export async function seedMany({ redisUrl, streams, parts = 0 }: ManyOptions): Promise<string[]> {
  const ids = await seed({ redisUrl, streams: Math.min(streams, TEMPLATES), parts });
  const url = parseRedisUrl(redisUrl);
  if (!url.ok) throw new Error(url.detail);
  const redis = createClient(url.target, { name: "sluice-seed" }, (error) => {
    throw error;
  });
  await whenReady(redis);
  try {
    const templates = await readTemplates(redis, ids.slice(0, TEMPLATES));
    for (let from = ids.length; from < streams; from += AT_ONCE)
      await copy(redis, templates, from, Math.min(streams, from + AT_ONCE));
  } finally {
    await closeClient(redis);
  }
  return ids;
}

async function readTemplates(redis: RedisClient, ids: readonly string[]): Promise<Template[]> {
  const keys = keysWith("");
  const templates: Template[] = [];
  for (const index of INDEXES) {
    const listed = new Set(await redis.zrange(keys.index(index), "0", "-1"));
    for (const id of ids.filter((each) => listed.has(each)))
      templates.push({ id, index, meta: await redis.hgetall(keys.streamMeta(id)) });
  }
  return templates;
}

async function copy(
  redis: RedisClient,
  templates: readonly Template[],
  from: number,
  to: number,
): Promise<void> {
  const keys = keysWith("");
  const pipeline = redis.pipeline();
  for (let n = from; n < to; n += 1) {
    const template = templates[n % templates.length];
    if (template === undefined) throw new Error("there is nothing to copy");
    const startedAt = Date.now() - (n + 1) * 61_000;
    const id = ulid(startedAt, n);
    const at = new Date(startedAt).toISOString();
    const renamed = (text = "") => text.replace(/\d{6}(?=\.mkv$)/, String(n).padStart(6, "0"));
    const { original_path: path, s3_key: key, s3_upload_id: upload, etag } = template.meta;
    pipeline.copy(keys.streamMeta(template.id), keys.streamMeta(id));
    pipeline.copy(keys.streamParts(template.id), keys.streamParts(id));
    pipeline.hset(keys.streamMeta(id), {
      original_path: renamed(path),
      s3_key: renamed(key),
      started_at_utc: at,
      last_activity_at_utc: at,
      ...(upload === undefined ? {} : { s3_upload_id: `2~${hex(n * 31, 40)}` }),
      ...(etag === undefined ? {} : { etag: `${hex(n, 32)}-2` }),
    });
    pipeline.zadd(keys.index(template.index), startedAt, id);
  }
  for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
}
