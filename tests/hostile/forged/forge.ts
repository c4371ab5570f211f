/**
 * Records as nobody's program wrote them: of the right fields with wrong values, of the wrong types, of other buckets and
 * paths, for every key the schema has. The same seed forges the same Redis.
 */
import { FIELD_NAMES, FIELDS } from "@sluice/core";
import fc from "fast-check";
import type { Redis } from "ioredis";

export interface Aims {
  source: string;
  bucket: string;
  /** Neither is the worker's. */
  foreignBucket: string;
  foreignPath: string;
  /** Inside the watch. */
  root: string;
}

const ODD_NUMBERS =
  "0 -1 1e400 NaN Infinity 18446744073709551616 9007199254740993 00 0x10 1.5 10001 10002".split(" ");
const ODD_TEXTS = [
  "",
  " ",
  "null",
  "{}",
  "[]",
  "__proto__",
  "constructor",
  "../../etc/passwd",
  "/../..",
  "\u0000",
  "\u001b[2J\u202e",
  "%00%zz",
  "ok\r\nSET x y",
  "{".repeat(2_000),
  `[${"[".repeat(5_000)}`,
  "a".repeat(20_000),
  '{"for":"store","detail":{}}',
  '{"for":"__proto__"}',
  '{"__proto__":{"polluted":1}}',
];
const ODD_TIMES = [
  "0",
  "+275760-09-13T00:00:00.000Z",
  "-271821-04-20T00:00:00.000Z",
  "yesterday",
  "2026-13-45T99:99:99Z",
];

const odd = fc.oneof(
  fc.constantFrom(...ODD_NUMBERS),
  fc.constantFrom(...ODD_TEXTS),
  fc.constantFrom(...ODD_TIMES),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.json({ maxDepth: 3 }),
);

/** What would do harm if it were believed, or is right. */
function aimed(name: string, aims: Aims): fc.Arbitrary<string> {
  const { source, bucket, foreignBucket, foreignPath, root } = aims;
  const values: Readonly<Record<string, readonly string[]>> = {
    original_path: [foreignPath, `${root}/../outside`, `${root}/a.bin`, "/etc/passwd", "relative"],
    source: [source, source, "another"],
    watch: ["watch", "another"],
    s3_bucket: [bucket, foreignBucket],
    s3_key_prefix: ["", "theirs/"],
    s3_key: ["a.bin", "theirs.bin", "../x"],
    s3_metadata_key: ["theirs.bin", "a.bin.metadata.json"],
    s3_upload_id: ["upload-1", "2~abc"],
    status: [
      "opening",
      "processing",
      "pending_completion",
      "s3_completed",
      "completed",
      "failed_file_missing",
      "failed_name_refused",
      "failed_x",
    ],
    next_part: ["0", "1", "2", "10001", "10002"],
    bytes_sent: ["0", "5242880", "9007199254740991"],
    part_plan: [
      "stepped:5242880",
      "uniform:1",
      "listed:3:1+stepped:5242880",
      "copied:5x2+stepped:5242880",
      "stepped:0",
    ],
    schema_version: ["1", "1", "1", "2", "99"],
    owner: ["rig-worker", "nobody"],
    fence: ["0", "1", "9007199254740991"],
    revision: ["0", "7"],
    requested_action: ["abort", "finalize", "__proto__"],
  };
  const known = values[name];
  const { type } = FIELDS[name as keyof typeof FIELDS] ?? { type: "text" };
  const right: Readonly<Record<string, readonly string[]>> = {
    count: ["0", "5", "5242881"],
    digits: ["1", "123456789012345678901"],
    time: ["2026-01-01T00:00:00.000Z", new Date().toISOString()],
    verify_mode: ["full", "off"],
    completed_by: ["idle", "marker"],
    set_apart: ["temporary_name"],
  };
  return fc.constantFrom(...(known ?? right[type] ?? ["text"]));
}

interface Forged {
  id: string;
  meta: Record<string, string>;
  parts: Record<string, string>;
  log: string[];
  indexes: { index: string; score: string }[];
  wrongType: boolean;
}

const INDEXES = ["active", "pending_completion", "failed", "completed"];

/** `spoilt`: how many of a hundred fields hold what they must not. */
function hash(names: readonly string[], aims: Aims, spoilt: number): fc.Arbitrary<Record<string, string>> {
  const field = (name: string) =>
    fc
      .record({ roll: fc.nat(99), right: aimed(name, aims), wrong: odd })
      .map(({ roll, right, wrong }) => (roll < spoilt ? wrong : roll > 97 ? undefined : right));
  return fc
    .record(Object.fromEntries(names.map((name) => [name, field(name)])))
    .map((fields) =>
      Object.fromEntries(
        Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
      ),
    );
}

const part = fc.oneof(
  odd,
  fc
    .record({
      PartNumber: fc.constantFrom<unknown>(0, 1, 2, -1, 1.5, "1", 10_001, 1e300, null),
      ETag: fc.constantFrom<unknown>("", "abc", '"q"', 5, null, "x".repeat(3_000)),
      Size: fc.constantFrom<unknown>(0, 1, 5_242_880, -5, 2 ** 60, "5", null),
      Offset: fc.constantFrom<unknown>(undefined, 0, 5_242_880, -1, 2 ** 53),
      ChecksumCRC32: fc.constantFrom<unknown>(undefined, "AAAAAA==", "x"),
    })
    .map((value) => JSON.stringify(value)),
);

export function forgeries(count: number, seed: number, aims: Aims): Forged[] {
  const one = fc.record({
    meta: fc.oneof(hash(FIELD_NAMES, aims, 3), hash(FIELD_NAMES, aims, 0), hash(FIELD_NAMES, aims, 30)),
    parts: fc.dictionary(fc.constantFrom("0", "1", "2", "3", "x", "-1", "__proto__", "1e3"), part, {
      maxKeys: 4,
    }),
    log: fc.array(odd, { maxLength: 3 }),
    indexes: fc.array(
      fc.record({
        index: fc.constantFrom(...INDEXES),
        score: fc.constantFrom("0", "-1", "1e308", "inf", "-inf", "1767225600000"),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    wrongType: fc.nat(49).map((roll) => roll === 0),
  });
  return fc.sample(one, { numRuns: count, seed }).map((forged, at) => ({ ...forged, id: idOf(at, seed) }));
}

function idOf(at: number, seed: number): string {
  const odd = ["", "__proto__", "a b", "x\ny", "é"];
  const name = odd[at % 40] ?? "";
  return `01forged${seed}${String(at).padStart(6, "0")}${name}`;
}

export async function write(redis: Redis, forged: readonly Forged[]): Promise<void> {
  const pipeline = redis.pipeline();
  for (const { id, meta, parts, log, indexes, wrongType } of forged) {
    if (wrongType) pipeline.set(`stream:${id}:meta`, "not a hash");
    else if (Object.keys(meta).length > 0) pipeline.hset(`stream:${id}:meta`, meta);
    for (const [field, value] of Object.entries(parts)) pipeline.hset(`stream:${id}:parts`, field, value);
    if (log.length > 0) pipeline.rpush(`stream:${id}:log`, ...log);
    for (const { index, score } of indexes) pipeline.zadd(`streams:${index}`, score, id);
  }
  await pipeline.exec();
}

const NAMES = {
  worker:
    "nonce boot_id pid_namespace host pid process_started version source watches state state_detail in_flight_bytes lag_bytes s3_bucket s3_address store oldest_unshipped_at_utc behind_since_utc started_at_utc renewed_at_utc".split(
      " ",
    ),
  request: "id action items options who reason filed_at_utc settled_at_utc".split(" "),
  plan: "token action ids counts bytes options who made_at_utc expires_at_utc".split(" "),
  watch: "source name root root_inode state state_detail since_utc".split(" "),
};

const ACTIONS =
  "retry finalize abort verify head_object list_parts download retry_path scan_orphans abort_uploads adopt purge".split(
    " ",
  );

/** Everything that is no stream: requests that ask for harm, leases, plans, entries by path and by upload. */
export async function writeOthers(
  redis: Redis,
  count: number,
  seed: number,
  aims: Aims,
  ids: readonly string[],
): Promise<void> {
  const pipeline = redis.pipeline();
  const sample = <T>(arbitrary: fc.Arbitrary<T>, salt: number): T[] =>
    fc.sample(arbitrary, { numRuns: count, seed: seed + salt });
  for (const [at, fields] of sample(hash(NAMES.worker, aims, 40), 1).entries()) {
    pipeline.hset(`worker:forged-${at}`, { nonce: "x", ...fields });
    pipeline.hset(`workers:last:forged-${at}`, { nonce: "x", ...fields });
    pipeline.zadd("workers", at % 2 === 0 ? Date.now() : "inf", `forged-${at}`);
  }
  const request = fc.record({
    spoilt: hash(NAMES.request, aims, 30),
    action: fc.constantFrom(...ACTIONS),
    items: fc.oneof(
      fc.constantFrom<unknown>(
        [],
        ["*"],
        [aims.foreignBucket],
        ["__proto__"],
        "x",
        null,
        [5],
        [`${aims.source}:${aims.foreignPath}`],
      ),
      fc.shuffledSubarray([...ids], { maxLength: 3 }),
    ),
    options: fc.constantFrom<unknown>(
      {},
      { from: aims.source },
      { bucket: aims.foreignBucket, key: "theirs.bin" },
      [],
      null,
      { upload: "abort" },
    ),
    whole: fc.boolean(),
  });
  for (const [at, { spoilt, action, items, options, whole }] of sample(request, 2).entries()) {
    const id = `forged-${at}`;
    const right = {
      id,
      action,
      items: JSON.stringify(items),
      options: JSON.stringify(options),
      who: "mallory",
      filed_at_utc: new Date().toISOString(),
    };
    pipeline.hset(`request:${id}`, whole ? right : { ...right, ...spoilt });
    pipeline.xadd("requests", "*", at % 9 === 0 ? "odd" : "id", id);
  }
  for (const [at, fields] of sample(hash(NAMES.plan, aims, 40), 3).entries())
    pipeline.hset(`plan:forged-${at}`, { token: "x", ...fields });
  for (const [at, fields] of sample(hash(NAMES.watch, aims, 40), 4).entries())
    pipeline.hset(`watch:${at % 2 === 0 ? aims.source : "another"}:forged-${at}`, { name: "x", ...fields });
  for (const [at, text] of sample(odd, 5).entries()) {
    const fields = [
      `${aims.source}:${aims.foreignPath}-${at}`,
      text,
      `${aims.source}:${aims.root}/${at}.bin`,
    ];
    for (const key of ["files:done", "files:ignored"])
      for (const field of fields) pipeline.hset(key, field, text);
    pipeline.hset("orphans", `upload-${at}`, text);
    pipeline.hset("uploads:to_abort", `upload-${at}`, text);
    pipeline.hset("streams:by_path", `${aims.source}:${aims.foreignPath}-${at}`, text);
    pipeline.hset("streams:by_key", `${aims.foreignBucket}/x-${at}`, text);
    pipeline.xadd("events", "*", "type", text, "subject", text, "at", text);
    pipeline.xadd("audit", "*", "who", text, "action", text, "ids", text);
    pipeline.xadd("webhooks", "*", "id", text, "event", text, "body", text);
    pipeline.xadd("webhooks:results", "*", "id", text, "event", text, "subject", text, "result", text);
    pipeline.xadd("webhooks:dropped", "*", "id", text, "event", text, "subject", text, "body", text);
    pipeline.hset(`workers:report:forged-${at}`, "settings", text, "troubles", text, "part_seconds", text);
    pipeline.hset(`stats:2026${String(at % 100).padStart(8, "0")}`, text.slice(0, 40), text);
  }
  const theirs = {
    s3_bucket: aims.foreignBucket,
    s3_upload_id: "theirs-1",
    s3_key: "theirs.bin",
    who: "mallory",
    at_utc: new Date().toISOString(),
  };
  pipeline.hset("uploads:to_abort", "theirs-1", JSON.stringify(theirs));
  pipeline.set("store:forged", "{".repeat(100));
  await pipeline.exec();
}
