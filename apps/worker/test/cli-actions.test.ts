/** What the command line does by itself, and what it asks of workers: planned, confirmed, carried out once, audited. */
import { hostname, userInfo } from "node:os";
import { streamId } from "@sluice/core";
import { AuditLog, IgnoredFiles, OrphanStore, Plans, RequestQueue, type Orphan } from "@sluice/redis-schema";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { document } from "./cli-process.ts";
import { manyFailed, MIB, startCliRig, startRedis, type CliRig } from "./cli-rig.ts";
import { until } from "./rig/until.ts";

let redis: Awaited<ReturnType<typeof startRedis>>;
let rig: CliRig;
beforeAll(async () => {
  redis = await startRedis();
});
beforeEach(async () => {
  rig = await startCliRig(redis);
  return () => rig[Symbol.asyncDispose]();
});
afterAll(() => redis.stop());

const ME = `${userInfo().username}@${hostname()}`;

interface Report {
  token: string;
  action: string;
  done: number;
  refused: number;
  waiting: number;
  results: { id: string; result: string; detail?: string }[];
}

async function audited() {
  const { entries } = await new AuditLog(rig.context).page(10);
  return entries.map(({ who, from, action, ids, reason, result }) => ({
    who,
    from,
    action,
    ids,
    reason,
    result,
  }));
}

async function statusOf(id: string): Promise<string | undefined> {
  return (await rig.reader.rows([id]))[0]?.status;
}

describe("sluice purge", () => {
  it("without a terminal does nothing until --yes and the number say so", async () => {
    const { id } = await rig.failed("/rec/a.mkv", "access_denied");
    for (const args of [
      ["purge", id],
      ["purge", id, "--yes"],
    ]) {
      const { code, stderr } = await rig.sluice(args);
      expect(code).toBe(2);
      expect(stderr).toContain("Purge 1 failed stream.");
      expect(stderr).toContain("Lost in S3: 1 open upload with 16.0 MiB of parts.");
      expect(stderr).toContain("--count 1");
    }
    const wrong = await rig.sluice(["purge", id, "--yes", "--count", "2"]);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain("--count says 2, but the plan has 1: nothing was done.");
    expect(await statusOf(id)).toBe("failed_access_denied");
    expect(await audited()).toEqual([]);
  });

  it("removes the record, leaves the upload to a worker and a mark on the file, and is audited", async () => {
    const { id, s3_upload_id = "" } = await rig.failed("/rec/a.mkv", "access_denied");
    const answer = await rig.sluice([
      "purge",
      id,
      "--yes",
      "--count",
      "1",
      "--because",
      "test shot",
      "--json",
    ]);
    expect(answer.code).toBe(0);
    expect(document<Report>(answer)).toMatchObject({
      action: "purge",
      done: 1,
      results: [{ id, result: "done", detail: "its upload is left to a worker to abort" }],
    });
    expect(await statusOf(id)).toBeUndefined();
    const left = await new OrphanStore(rig.context).toAbort();
    expect(left).toMatchObject([{ s3_upload_id, s3_key: "rec/a.mkv", stream_id: id, who: ME }]);
    expect(await new IgnoredFiles(rig.context).get("studio", "/rec/a.mkv")).toMatchObject({ stream_id: id });
    expect(await audited()).toEqual([
      { who: ME, from: "command line", action: "purge", ids: [id], reason: "test shot", result: "1 done" },
      { who: ME, from: "command line", action: "purge", ids: [id], reason: "test shot", result: "begun" },
    ]);
  });

  it("with --uploads keep loses no parts, so a yes is enough", async () => {
    const { id } = await rig.failed("/rec/a.mkv", "access_denied");
    const { code, stdout, stderr } = await rig.sluice(["purge", id, "--uploads", "keep", "--yes"]);
    expect(stderr).toContain("Kept in S3: 1 open upload with 16.0 MiB of parts, as orphans.");
    expect([code, stdout]).toEqual([0, expect.stringContaining("its upload is kept")]);
    expect(await new OrphanStore(rig.context).toAbort()).toEqual([]);
  });

  it("is planned and carried out in two steps, once", async () => {
    const { id } = await rig.failed("/rec/a.mkv", "access_denied");
    const planned = await rig.sluice(["purge", "--reason", "access_denied", "--uploads", "keep", "--plan"]);
    expect(planned.code).toBe(0);
    expect(planned.stdout).toMatch(/^[0-9a-f-]{36}\n$/);
    const token = planned.stdout.trim();
    expect(await statusOf(id)).toBe("failed_access_denied");
    // What fails after the plan was made is not part of it.
    const later = await rig.failed("/rec/later.mkv", "access_denied");
    const first = document<Report>(await rig.sluice(["purge", "--execute", token, "--json"]));
    expect(first.results).toEqual([{ id, result: "done", detail: "its upload is kept" }]);
    expect(await statusOf(later.id)).toBe("failed_access_denied");
    const again = document<Report>(await rig.sluice(["purge", "--execute", token, "--json"]));
    expect(again).toEqual(first);
    expect((await audited()).map(({ result }) => result)).toEqual(["1 done", "begun"]);
  });

  it("says exactly what it would do, in JSON", async () => {
    const { id, fence, revision } = await rig.failed("/rec/a.mkv", "access_denied");
    const plan = document<Record<string, unknown>>(await rig.sluice(["purge", "--all", "--plan", "--json"]));
    expect(plan).toMatchObject({
      action: "purge",
      ids: [id],
      counts: { streams: 1, uploads: 1, uploads_kept: 0 },
      bytes: 4 * MIB,
      options: { upload: "abort", seen: { [id]: `failed_access_denied:${fence}:${revision}` }, typed: "1" },
      who: ME,
      excluded: [],
      left_out: 0,
    });
    const minutes =
      (Date.parse(String(plan["expires_at_utc"])) - Date.parse(String(plan["made_at_utc"]))) / 60_000;
    expect(minutes).toBe(15);
    expect((await new Plans(rig.context).load(String(plan["token"]))).kind).toBe("ok");
  });

  it("leaves a stream alone that changed after it was planned", async () => {
    const { id } = await rig.failed("/rec/a.mkv", "access_denied");
    const { stdout } = await rig.sluice(["purge", id, "--plan"]);
    await rig.context.redis.hset(rig.context.keys.streamMeta(id), { revision: "77" });
    const answer = await rig.sluice(["purge", "--execute", stdout.trim(), "--count", "1", "--json"]);
    expect(answer.code).toBe(1);
    expect(document<Report>(answer).results).toEqual([
      { id, result: "refused", detail: "it changed after the plan was made: make a new plan" },
    ]);
    expect(await statusOf(id)).toBe("failed_access_denied");
  });

  it("tells of each stream that was named why it is not purged, and purges the others", async () => {
    const live = await rig.live("/rec/live.mkv");
    const failed = await rig.failed("/rec/a.mkv", "access_denied");
    const answer = await rig.sluice(["purge", live.id, failed.id, "--yes", "--count", "1", "--json"]);
    expect(answer.code).toBe(1);
    expect(document<Report>(answer).results).toEqual([
      { id: live.id, result: "refused", detail: "only failed streams are purged" },
      { id: failed.id, result: "done", detail: expect.any(String) },
    ]);
    expect(await statusOf(live.id)).toBe("processing");
  });

  it("of nothing that matches is no failure", async () => {
    await rig.live("/rec/live.mkv");
    const { code, stdout, stderr } = await rig.sluice(["purge", "--all", "--yes"]);
    expect([code, stdout, stderr]).toEqual([0, "", "Nothing matches: nothing was done.\n"]);
  });

  it("of 50 streams wants their number even where no upload is lost", async () => {
    const ids = await manyFailed(rig, 50);
    const args = ["purge", "--all", "--uploads", "keep", "--yes"];
    expect((await rig.sluice(args)).code).toBe(2);
    const answer = await rig.sluice([...args, "--count", "50", "--json"]);
    expect(answer.code).toBe(0);
    expect(document<Report>(answer).done).toBe(50);
    expect(await rig.reader.rows(ids)).toEqual(ids.map(() => undefined));
  });

  it("--completed removes history by age, and nothing else", async () => {
    const done = await rig.completed("/rec/done.mkv");
    const failed = await rig.failed("/rec/a.mkv", "access_denied");
    const young = await rig.sluice(["purge", "--completed", "--older-than", "1h", "--yes", "--json"]);
    expect([young.code, document<Report>(young).results]).toEqual([0, []]);
    const { code } = await rig.sluice(["purge", "--completed", "--yes"]);
    expect(code).toBe(0);
    expect([await statusOf(done.id), await statusOf(failed.id)]).toEqual([undefined, "failed_access_denied"]);
    expect(await audited()).toMatchObject([
      { action: "prune_history", ids: [done.id], result: "1 done" },
      { action: "prune_history", ids: [done.id], result: "begun" },
    ]);
  });

  it("does not carry out a plan for something else, nor one that is not there", async () => {
    const { id } = await rig.failed("/rec/a.mkv", "access_denied");
    const { stdout } = await rig.sluice(["retry", id, "--plan"]);
    const other = await rig.sluice(["purge", "--execute", stdout.trim()]);
    expect([other.code, other.stderr]).toEqual([
      2,
      'This is a plan to retry; "purge" cannot carry it out.\n',
    ]);
    const gone = await rig.sluice(["purge", "--execute", "00000000-0000-4000-8000-000000000000"]);
    expect([gone.code, gone.stderr]).toEqual([
      1,
      "The plan does not exist or has expired: make a new one.\n",
    ]);
  });
});

describe("sluice retry", () => {
  it("says of each stream what will be sent again, before anything is", async () => {
    const goesOn = await rig.failed("/rec/a.mkv", "access_denied");
    const anew = await rig.failed("/rec/b.mkv", "object_conflict");
    const sealed = await rig.failed("/rec/c.mkv", "access_denied", {
      sealed_at_utc: new Date().toISOString(),
    });
    const { code, stderr } = await rig.sluice(["retry", goesOn.id, anew.id, sealed.id]);
    expect(code).toBe(2);
    expect(stderr).toContain("Every byte of 1 file is sent, 16.0 MiB for the second time.");
    expect(stderr).toMatch(
      / 0 B +Resumes after the last acknowledged part; nothing is sent again\. +\/rec\/a\.mkv/,
    );
    expect(stderr).toMatch(/16\.0 MiB +Takes the next free name; all bytes are sent again\. +\/rec\/b\.mkv/);
    expect(stderr).toMatch(/ 0 B +The object is stored; only its metadata .* +\/rec\/c\.mkv/);
    expect(stderr).toContain("add --yes to continue");
    expect(await audited()).toEqual([]);
  });

  it("of a path takes its failed stream, not one whose id the path is a prefix of", async () => {
    const { id } = await rig.failed("/rec/a.mkv", "access_denied");
    await rig.failed("/rec/b.mkv", "access_denied", { id: streamId("/rec/a.mkv-2") });
    const { stdout } = await rig.sluice(["retry", "/rec/a.mkv", "--plan"]);
    const read = await new Plans(rig.context).load(stdout.trim());
    expect(read).toMatchObject({ kind: "ok", value: { action: "retry", ids: [id] } });
  });

  it("leaves superseded streams out, and says so of one that was named", async () => {
    const old = await rig.failed("/rec/a.mkv", "file_replaced", { superseded_by: "next" });
    expect((await rig.sluice(["retry", "--all"])).stderr).toBe("Nothing matches: nothing was done.\n");
    const named = await rig.sluice(["retry", old.id, "--json"]);
    expect(named.code).toBe(1);
    expect(document<Report>(named).results[0]?.detail).toBe("another generation replaced it");
  });

  it("where no worker is alive stays filed, and ends with 69", async () => {
    const { id } = await rig.failed("/rec/a.mkv", "access_denied");
    const answer = await rig.sluice(["retry", id, "--json"]);
    expect(answer.code).toBe(69);
    const { token, waiting } = document<Report>(answer);
    expect(waiting).toBe(1);
    expect(answer.stderr).toContain("No worker is alive.");
    expect(answer.stderr).toContain(`sluice retry --execute ${token}`);
    expect(await new RequestQueue(rig.context).read(token)).toMatchObject({
      kind: "ok",
      value: { action: "retry", items: [id], who: ME, state: "filed" },
    });
  });
});

describe("a request", () => {
  async function settle(id: string, item: string): Promise<void> {
    const queue = new RequestQueue(rig.context);
    const read = await queue.read(id);
    if (read.kind !== "ok") throw new Error(`the request is ${read.kind}`);
    await queue.settle(read.value, item, {
      result: "done",
      detail: "it is being completed",
      worker: "w1",
      at_utc: new Date().toISOString(),
    });
  }

  it("that is not answered in time stays filed and ends with 75; asked again it tells the answer", async () => {
    const { id } = await rig.live("/rec/live.mkv");
    await rig.pretendWorker();
    const late = await rig.sluice(["finalize", id, "--yes", "--wait", "100ms", "--json"]);
    expect(late.code).toBe(75);
    const { token } = document<Report>(late);
    expect(late.stderr).toContain(`stays filed for a day as ${token}`);
    await settle(token, id);
    const again = await rig.sluice(["finalize", "--execute", token, "--json"]);
    expect(again.code).toBe(0);
    expect(document<Report>(again).results).toEqual([
      { id, result: "done", detail: "it is being completed" },
    ]);
    // Asked once: it was filed once, and audited as that.
    expect((await audited()).map(({ result }) => result)).toEqual([
      "1 not answered yet",
      "requested from the workers",
    ]);
  });

  it("that is interrupted stays filed and ends with 130", async () => {
    const { id } = await rig.live("/rec/live.mkv");
    await rig.pretendWorker();
    const asking = rig.sluice(["finalize", id, "--yes", "--wait", "10m"], {
      signalWhen: { said: /answered/, signal: "SIGINT" },
    });
    const { code, stderr } = await asking;
    expect(code).toBe(130);
    expect(stderr).toMatch(/Interrupted\. The request stays filed for a day as [0-9a-f-]{36}/);
  });

  it("is answered while the command waits for it", async () => {
    const { id } = await rig.live("/rec/live.mkv");
    await rig.pretendWorker();
    const asking = rig.sluice(["finalize", id, "--yes", "--force", "--json"]);
    const queue = new RequestQueue(rig.context);
    const filed = await until("the request is filed", async () => {
      const { requests } = await queue.next(rig.context.redis);
      return requests.find(({ request }) => request.items.includes(id))?.request;
    });
    expect(filed.options).toEqual({ force: true });
    await settle(filed.id, id);
    const answer = await asking;
    expect(answer.code).toBe(0);
    expect(document<Report>(answer)).toMatchObject({ token: filed.id, action: "finalize", done: 1 });
  });

  it("to abort wants the number, since parts are lost", async () => {
    const { id } = await rig.live("/rec/live.mkv");
    const { code, stderr } = await rig.sluice(["abort", id, "--yes"]);
    expect(code).toBe(2);
    expect(stderr).toContain("Lost in S3: 1 open upload with 16.0 MiB of parts.");
    expect(stderr).toContain("Files stay on disk");
  });
});

describe("a plan that workers carry out", () => {
  it("D8i: leaves alone what changed after it was planned, and asks only for the rest", async () => {
    const same = await rig.failed("/rec/same.mkv", "access_denied");
    const changed = await rig.failed("/rec/changed.mkv", "access_denied");
    const { stdout } = await rig.sluice(["retry", same.id, changed.id, "--plan"]);
    const { redis, keys } = rig.context;
    await redis.hset(keys.streamMeta(changed.id), { status: "processing", fence: "9" });
    const report = document<Report>(await rig.sluice(["retry", "--execute", stdout.trim(), "--json"]));
    expect(report.results).toContainEqual({
      id: changed.id,
      result: "refused",
      detail: expect.stringContaining("it changed after the plan was made"),
    });
    expect(report.waiting).toBe(1);
    const request = await new RequestQueue(rig.context).read(report.token);
    expect(request).toMatchObject({ kind: "ok", value: { items: [same.id] } });
  });

  it.each([
    ["finalize", "it changed after the plan was made, from processing to pending_completion"],
    ["abort", "it changed after the plan was made, from processing to pending_completion"],
  ])("D8i: %s does nothing where all of it changed, and fails", async (action, words) => {
    const { id } = await rig.live("/rec/live.mkv");
    const { stdout } = await rig.sluice([action, id, "--plan"]);
    const { redis, keys } = rig.context;
    await redis.hset(keys.streamMeta(id), { status: "pending_completion" });
    const answer = await rig.sluice([action, "--execute", stdout.trim(), "--count", "1", "--yes", "--json"]);
    expect(answer.code).toBe(1);
    expect(document<Report>(answer).results).toEqual([
      { id, result: "refused", detail: expect.stringContaining(words) },
    ]);
    expect(await redis.exists(keys.requests)).toBe(0);
  });

  it.each([-20, 20])(
    "D8h: is carried out by an asker whose clock is %i min off, and its request is young",
    async (minutes) => {
      const { id } = await rig.failed("/rec/a.mkv", "access_denied");
      const off = { env: { NODE_OPTIONS: `--import=${clockOff(minutes)}` } };
      const planned = await rig.sluice(["retry", id, "--plan"], off);
      expect([planned.code, planned.stderr]).toEqual([0, expect.any(String)]);
      const asked = await rig.sluice(["retry", "--execute", planned.stdout.trim(), "--json"], off);
      expect(asked.code).toBe(69);
      const queue = new RequestQueue(rig.context);
      const { requests } = await queue.next(rig.context.redis);
      const [request] = requests;
      if (!request) throw new Error("the request is filed");
      expect(request.request.items).toEqual([id]);
      expect(await queue.ageMs(request)).toBeLessThan(5 * 60_000);
    },
  );

  /** A module that sets the process's clock. */
  function clockOff(minutes: number): string {
    const source = `const real = Date; const off = ${minutes * 60_000};
      globalThis.Date = class extends real {
        constructor(...given) { if (given.length === 0) super(real.now() + off); else super(...given); }
        static now() { return real.now() + off; }
      };`;
    return `data:text/javascript,${encodeURIComponent(source)}`;
  }
});

describe("sluice orphans", () => {
  const DAY = 86_400_000;

  function orphan(id: string, over: Partial<Orphan> = {}): Omit<Orphan, "first_seen_at_utc"> {
    const { first_seen_at_utc: _, ...rest } = {
      s3_upload_id: id,
      s3_bucket: "recordings",
      s3_key: `rec/${id}.mkv`,
      verdict: "ours" as const,
      because: "left by a purge",
      initiated_at_utc: new Date(Date.now() - 3 * DAY).toISOString(),
      parts: 2,
      bytes: 16 * MIB,
      first_seen_at_utc: "",
      last_seen_at_utc: new Date().toISOString(),
      ...over,
    };
    return rest;
  }

  beforeEach(async () => {
    await new OrphanStore(rig.context).replaceScan("recordings", "", [
      orphan("ours-old"),
      orphan("ours-young", { initiated_at_utc: new Date().toISOString() }),
      orphan("foreign-old", { verdict: "foreign", because: "no stream has its key" }),
      orphan("unknown-old", {
        verdict: "unknown",
        because: "a file maps to its key",
        s3_key: "rec/\u001b.mkv",
      }),
    ]);
  });

  it("ls lists all of them, oldest first, in a table or as one array", async () => {
    const { code, stdout } = await rig.sluice(["orphans", "ls"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /ours-old +ours +3 d ago +- +2 +16\.0 MiB +left by a purge +s3:\/\/recordings\/rec\/ours-old\.mkv/,
    );
    expect(stdout).toContain("s3://recordings/rec/␛.mkv");
    const list = document<Orphan[]>(await rig.sluice(["orphans", "ls", "--json"]));
    expect(list).toHaveLength(4);
    expect(list.at(-1)).toMatchObject({ s3_upload_id: "ours-young", verdict: "ours" });
  });

  it("clean plans only ours that are old enough", async () => {
    const { code, stderr } = await rig.sluice(["orphans", "clean"]);
    expect(code).toBe(2);
    expect(stderr).toContain("Abort 1 orphaned upload.");
    expect(stderr).toContain("They began more than 1 d ago.");
    const all = await rig.sluice(["orphans", "clean", "--older-than", "0", "--plan", "--json"]);
    expect(document<{ ids: string[] }>(all).ids.toSorted((a, b) => a.localeCompare(b))).toEqual([
      "ours-old",
      "ours-young",
    ]);
  });

  it("clean refuses foreign and unknown ones by name", async () => {
    const answer = await rig.sluice(["orphans", "clean", "foreign", "unknown-old", "--yes", "--json"]);
    expect(answer.code).toBe(1);
    expect(document<Report>(answer).results).toEqual([
      { id: "foreign-old", result: "refused", detail: "it is foreign: no stream has its key" },
      { id: "unknown-old", result: "refused", detail: "it is unknown: a file maps to its key" },
    ]);
    const several = await rig.sluice(["orphans", "clean", "ours-"]);
    expect([several.code, several.stderr]).toEqual([1, "ours- is a prefix of several upload ids.\n"]);
  });

  it("clean asks the workers under the plan's own token", async () => {
    const answer = await rig.sluice(["orphans", "clean", "ours-young", "--yes", "--count", "1", "--json"]);
    expect(answer.code).toBe(69);
    expect(await new RequestQueue(rig.context).read(document<Report>(answer).token)).toMatchObject({
      kind: "ok",
      value: { action: "abort_uploads", items: ["ours-young"] },
    });
  });
});

describe("sluice adopt", () => {
  it("refuses a source whose worker is alive", async () => {
    await rig.live("/rec/live.mkv");
    await rig.pretendWorker();
    const { code, stderr } = await rig.sluice(["adopt", "--from", "studio", "--yes"]);
    expect([code, stderr]).toEqual([1, "The source studio is not gone: worker w1 is running there.\n"]);
  });

  it("names every live stream of the source, and no other", async () => {
    const { id } = await rig.live("/rec/live.mkv");
    await rig.failed("/rec/failed.mkv", "access_denied");
    const plan = document<Record<string, unknown>>(
      await rig.sluice(["adopt", "--from", "studio", "--plan", "--json"]),
    );
    expect(plan).toMatchObject({
      action: "adopt",
      ids: [id],
      bytes: 16 * MIB,
      options: { request: { from: "studio" } },
    });
    const none = await rig.sluice(["adopt", "--from", "nowhere"]);
    expect([none.code, none.stderr]).toEqual([0, "Nothing matches: nothing was done.\n"]);
  });
});
