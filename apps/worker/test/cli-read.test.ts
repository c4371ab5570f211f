/** What the command line reads: lists, one stream, parts, everything; and what it says when it cannot. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { document, sluice } from "./cli-process.ts";
import { MIB, startCliRig, startRedis, type CliRig } from "./cli-rig.ts";
import { breachesOfStream } from "./stream-schema.ts";

const HOSTILE = "/rec/a\u001b[31m\u202eb\n.mkv";
/** Nothing of this reaches a terminal raw, but for the line breaks of the output itself. */
const RAW = /[\p{Cc}\p{Cf}\p{Cs}]/u;

let rig: CliRig;
let ids: Record<"live" | "hostile" | "failed" | "superseded" | "completed", string>;

beforeAll(async () => {
  rig = await startCliRig(await startRedis());
  ids = {
    completed: (await rig.completed("/rec/done.mkv", { etag: "abc-3" })).id,
    failed: (await rig.failed("/rec/denied.mkv", "access_denied")).id,
    superseded: (await rig.failed("/rec/old.mkv", "file_replaced", { superseded_by: "next" })).id,
    live: (await rig.live("/rec/grow.mkv")).id,
    hostile: (await rig.live(HOSTILE)).id,
  };
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  await rig.redis.stop();
});

type Row = Record<string, string | number>;

function idsOf(rows: readonly Record<string, unknown>[]): Set<unknown> {
  return new Set(rows.map(({ id }) => id));
}

describe("sluice ls", () => {
  it("lists what is at work and what failed, and under them what has just completed", async () => {
    const { code, stdout, stderr } = await rig.sluice(["ls"]);
    expect(code).toBe(0);
    expect(stderr, "no worker runs here, and a stream is live").toMatch(
      /^Not known\. No worker runs on source \S+/,
    );
    expect(stdout.split("\n")[0]?.split(/ {2,}/)).toEqual([
      "ID",
      "STATE",
      "SIZE",
      "UNPROTECTED",
      "ACTIVITY",
      "PATH",
    ]);
    for (const id of [ids.live, ids.hostile, ids.failed, ids.superseded]) expect(stdout).toContain(id);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.at(-1)).toMatch(new RegExp(`^${ids.completed} +completed `));
    expect(stdout).toMatch(
      new RegExp(`${ids.failed} +failed: access_denied +20.0 MiB +4.0 MiB .* /rec/denied.mkv`),
    );
  });

  it("keeps apart what another generation has superseded", async () => {
    const { stdout } = await rig.sluice(["ls", "failed"]);
    expect(stdout).toMatch(new RegExp(`${ids.superseded} +superseded: `));
  });

  it("points at what is completed where nothing else is listed", async () => {
    const nothing = await rig.sluice(["ls", "--source", "elsewhere"]);
    expect([nothing.code, nothing.stdout]).toEqual([0, ""]);
    expect(nothing.stderr).toContain("1 stream completed: see sluice ls completed");
    const { stdout } = await rig.sluice(["ls", "active", "failed"]);
    expect(stdout).not.toContain(ids.completed);
    const listed = await rig.sluice(["ls", "--json"]);
    expect(idsOf(document<Row[]>(listed))).not.toContain(ids.completed);
    expect((await rig.sluice(["ls", "opening"])).stderr).toBe("No streams match.\n");
  });

  it("shows control characters of a name as marks", async () => {
    const { stdout } = await rig.sluice(["ls", "active"]);
    expect(stdout).toContain("/rec/a␛[31m<U+202E>b␊.mkv");
    expect(stdout.replaceAll("\n", "")).not.toMatch(RAW);
  });

  it("as JSON is one array with the record's own field names, and no raw control character", async () => {
    const answer = await rig.sluice(["ls", "all", "--json"]);
    const rows = document<Row[]>(answer);
    expect(answer.stdout.replaceAll("\n", "")).not.toMatch(RAW);
    expect(idsOf(rows)).toEqual(new Set(Object.values(ids)));
    const hash = await rig.context.redis.hgetall(rig.context.keys.streamMeta(ids.hostile));
    const row = rows.find(({ id }) => id === ids.hostile) ?? {};
    for (const [field, value] of Object.entries(row)) {
      if (field !== "id") expect(String(value), field).toBe(hash[field]);
    }
    expect(row["original_path"]).toBe(HOSTILE);
  });

  it.each<[string[], (keyof typeof ids)[]]>([
    [["failed"], ["failed", "superseded"]],
    [["completed"], ["completed"]],
    [["processing"], ["live", "hostile"]],
    [["opening"], []],
    [["--reason", "access_denied"], ["failed"]],
    [["--path", "grow"], ["live"]],
    [["--source", "elsewhere"], []],
    [["--older-than", "1h"], []],
  ])("%j gives %j", async (args, expected) => {
    const answer = await rig.sluice(["ls", ...args, "--json"]);
    expect(answer.code).toBe(0);
    expect(idsOf(document<Row[]>(answer))).toEqual(new Set(expected.map((name) => ids[name])));
  });

  it("says when there are more than it shows", async () => {
    const { stdout, stderr } = await rig.sluice(["ls", "all", "--limit", "2"]);
    expect(stdout.trimEnd().split("\n")).toHaveLength(3);
    expect(stderr).toContain("Only the first 2 streams are shown");
  });
});

describe("sluice show", () => {
  it("takes the beginning of an id that fits one stream only", async () => {
    const { code, stdout } = await rig.sluice(["show", ids.failed.slice(0, -1)]);
    expect(code).toBe(1);
    expect(stdout).toBe("");
    const whole = await rig.sluice(["show", ids.failed]);
    expect(whole.code).toBe(0);
  });

  it("says when the store aborts the upload, and whether that is soon enough to act on", async () => {
    const { redis, keys } = rig.context;
    const key = keys.streamMeta(ids.live);
    const soon = new Date(Date.now() + 600_000).toISOString();
    const began = new Date(Date.now() - 86_400_000).toISOString();
    await redis.hset(key, { upload_aborts_at_utc: soon, create_intent_at_utc: began });
    const { stdout } = await rig.sluice(["show", ids.live]);
    await redis.hdel(key, "upload_aborts_at_utc", "create_intent_at_utc");
    expect(stdout).toMatch(new RegExp(`store aborts it\\s+${soon} \\(in 9 min\\): .*sent again`));
  });

  it("tells the candidates when several begin so", async () => {
    const { code, stderr } = await rig.sluice(["show", "01k9"]);
    expect(code).toBe(1);
    expect(stderr).toContain("a prefix or suffix of several stream ids");
    expect(stderr).toContain(ids.live);
  });

  it("takes the end of an id, as a terminal shows it", async () => {
    const { code, stdout } = await rig.sluice(["show", ids.live.slice(-8)]);
    expect(code).toBe(0);
    expect(stdout).toContain(ids.live);
  });

  it("says cause, remedy and what a retry would do", async () => {
    const { stdout } = await rig.sluice(["show", ids.failed]);
    expect(stdout).toMatch(/not protected +4\.0 MiB/);
    expect(stdout).toMatch(/failed +The store denies access to this key/);
    expect(stdout).toMatch(/in detail +what exactly happened/);
    expect(stdout).toMatch(
      /what to do +Allow PutObject and GetObject on this key, or add the bucket to SLUICE_S3_OLD_BUCKETS/,
    );
    expect(stdout).toMatch(/a retry +Resumes after the last acknowledged part; nothing is sent again\./);
    expect(stdout).toContain("it is failed_access_denied now");
  });

  it("as JSON has every stored field, the timeline and the number of parts", async () => {
    const shown = document<Record<string, unknown>>(await rig.sluice(["show", ids.live, "--json"]));
    const stored = await rig.context.redis.hgetall(rig.context.keys.streamMeta(ids.live));
    const { write_token: _, ...fields } = stored;
    for (const [field, value] of Object.entries(fields)) expect(String(shown[field]), field).toBe(value);
    expect(breachesOfStream(shown)).toEqual([]);
    expect(shown).toMatchObject({ id: ids.live, part_count: 2, indexes: ["active"], bytes_sent: 16 * MIB });
    expect(shown["log"]).toEqual([
      expect.objectContaining({ text: "upload opened at rec/grow.mkv", worker: "w1" }),
      expect.objectContaining({ text: "file found" }),
    ]);
  });

  it("shows a record that cannot be worked with as it is stored, and why", async () => {
    const { redis, keys } = rig.context;
    await redis.hset(keys.streamMeta("broken"), { original_path: "/rec/x\u0007.mkv", schema_version: "1" });
    await redis.zadd(keys.index("failed"), 1, "broken");
    const { code, stdout } = await rig.sluice(["show", "broken"]);
    await redis.del(keys.streamMeta("broken"));
    await redis.zrem(keys.index("failed"), "broken");
    expect(code).toBe(0);
    expect(stdout).toMatch(/record +incomplete: .*s3_bucket.* missing/);
    expect(stdout).toMatch(/original_path +\/rec\/x␇\.mkv/);
  });

  it("of a stream that is not there fails", async () => {
    expect(await rig.sluice(["show", "nothing"])).toEqual({
      code: 1,
      stdout: "",
      stderr: "There is no stream nothing.\n",
    });
  });
});

describe("sluice parts", () => {
  it("lists every part in order", async () => {
    const { code, stdout } = await rig.sluice(["parts", ids.live]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /PART +OFFSET +SIZE +CRC32 +SENT +TOOK +TRIES +ETAG\n +1 +0 +8\.0 MiB .*etag-1\n +2 +8388608 /,
    );
  });

  it("as JSON has the contract's fields", async () => {
    const parts = document<Row[]>(await rig.sluice(["parts", ids.live, "--json"]));
    expect(parts[1]).toMatchObject({
      PartNumber: 2,
      ETag: "etag-2",
      Size: 8 * MIB,
      Offset: 8 * MIB,
      Attempts: 1,
    });
  });
});

describe("sluice export", () => {
  it("writes one JSON object a line, with parts where they are asked for", async () => {
    const { code, stdout } = await rig.sluice(["export", "--parts"]);
    expect(code).toBe(0);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toHaveLength(5);
    for (const line of lines) expect(breachesOfStream(line)).toEqual([]);
    expect(idsOf(lines)).toEqual(new Set(Object.values(ids)));
    expect(lines.find(({ id }) => id === ids.live)?.["parts"]).toHaveLength(2);
    expect(stdout.replaceAll("\n", "")).not.toMatch(RAW);
  });

  it("of one state leaves the others out", async () => {
    const { stdout } = await rig.sluice(["export", "completed"]);
    expect((JSON.parse(stdout) as Row)["id"]).toBe(ids.completed);
  });

  it("whose reader goes away ends without a word", async () => {
    const main = fileURLToPath(new URL("../src/main.mjs", import.meta.url));
    const child = spawn(process.execPath, [main, "export"], {
      env: { ...process.env, ...rig.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, "close")) as [number | null];
    expect([code, stderr]).toEqual([0, ""]);
  });
});

describe("a command that cannot", () => {
  it("reach Redis says so, without the password, and ends with 69", async () => {
    const { code, stdout, stderr } = await sluice(["ls"], {
      env: { SLUICE_REDIS_URL: "redis://me:hunter2@127.0.0.1:1" },
    });
    expect([code, stdout]).toEqual([69, ""]);
    expect(stderr).toContain("cannot be reached: connect ECONNREFUSED 127.0.0.1:1");
    expect(stderr).not.toContain("hunter2");
  });

  it("read a newer schema ends with 78", async () => {
    const newer = await startCliRig(rig.redis);
    await newer.context.redis.set(newer.context.keys.schema, 99);
    const { code, stderr } = await newer.sluice(["ls"]);
    await newer[Symbol.asyncDispose]();
    expect(code).toBe(78);
    expect(stderr).toContain("written by a newer Sluice (schema 99");
  });

  it("read the configuration lists every problem and ends with 78", async () => {
    const { code, stderr } = await rig.sluice(["ls"], {
      env: { SLUICE_PART_SIZE: "1", SLUICE_VERIFY: "twice" },
    });
    expect(code).toBe(78);
    expect(stderr).toContain("The configuration has 2 problems:");
  });

  it.each<string[][]>([
    [["nonsense"]],
    [["ls", "gone"]],
    [["ls", "--limit", "many"]],
    [["finalize"]],
    [["adopt"]],
    [["purge"]],
    [["purge", "--completed", "--source", "x"]],
    [["retry"]],
  ])("understand %j ends with 2 and says why", async (args) => {
    const { code, stdout, stderr } = await rig.sluice(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/\w+ \w+/);
    expect(stderr).not.toMatch(/at .*\.ts:\d+/);
  });

  it.each([
    [["lss"], "Did you mean ls?"],
    [["ls", "procesing"], "Did you mean processing?"],
    [["export", "faild"], "Did you mean failed?"],
    [["ls", "--sorce", "x"], "Did you mean --source?"],
    [["config", "print", "--part-sise", "8MiB"], "Did you mean --part-size?"],
  ])("understand %j is told what is meant", async (args, hint) => {
    const { code, stderr } = await rig.sluice(args);
    expect(code).toBe(2);
    expect(stderr).toContain(hint);
  });

  it("top draws on a terminal alone, and records where there is none", async () => {
    const refused = await rig.sluice(["top"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("use --json");
    const answer = await rig.sluice(["top", "--json", "--interval", "500ms"], {
      signalWhen: { signal: "SIGINT", said: /\n.*\n/ },
    });
    expect(answer.code).toBe(0);
    const [first] = answer.stdout.trimEnd().split("\n");
    expect(JSON.parse(first ?? "")).toMatchObject({
      verdict: expect.stringContaining("Not known") as string,
      streams: expect.arrayContaining([
        expect.objectContaining({ id: ids.live, sent_bytes_per_second: null, eta_ms: null }),
      ]) as unknown[],
    });
  });

  it("is helped with --help", async () => {
    const { code, stdout } = await sluice(["purge", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Examples:\n  sluice purge ");
  });
});

describe("sluice config", () => {
  const directory = mkdtempSync(join(tmpdir(), "sluice-cli-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const env = {
    SLUICE_REDIS_URL: "redis://me:hunter2@db:6379",
    SLUICE_S3_BUCKET: "recordings",
    SLUICE_SOURCE: "s",
  };

  it("print shows values and where they came from, never a secret", async () => {
    writeFileSync(join(directory, "sluice.yaml"), "part_size: 16MiB\n");
    const { code, stdout } = await sluice(["config", "print", "--idle-timeout", "45s"], {
      env,
      cwd: directory,
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/SLUICE_PART_SIZE +16MiB +\(file .*sluice\.yaml\)/);
    expect(stdout).toMatch(/SLUICE_IDLE_TIMEOUT +45s +\(flag\)/);
    expect(stdout).not.toContain("hunter2");
    const json = await sluice(["config", "print", "--json"], { env, cwd: directory });
    expect(json.stdout).not.toContain("hunter2");
    expect(document<{ settings: Record<string, unknown> }>(json).settings["part_size"]).toMatchObject({
      value: 16 * MIB,
    });
  });

  it("validate lists what a worker cannot do without, and ends with 78", async () => {
    const answer = await sluice(["config", "validate", "--json"], { env, cwd: directory });
    expect(answer.code).toBe(78);
    const { valid, problems } = document<{ valid: boolean; problems: { key: string; text: string }[] }>(
      answer,
    );
    expect(valid).toBe(false);
    expect(problems).toContainEqual({ key: "SLUICE_WATCH", text: expect.stringContaining("is not set") });
  });

  it("validate says when all is right", async () => {
    const { code, stdout } = await sluice(["config", "validate"], {
      env: { ...env, SLUICE_WATCH: directory },
      cwd: directory,
    });
    expect([code, stdout]).toEqual([0, "The configuration is valid for worker.\n"]);
  });
});

describe("sluice healthcheck", () => {
  it("without a worker ends with 69", async () => {
    const { code, stderr } = await sluice(["healthcheck", "--url", "http://127.0.0.1:1"]);
    expect(code).toBe(69);
    expect(stderr).toContain("The worker does not answer at http://127.0.0.1:1");
  });
});
