/** A download that a worker signs: for the object of one finished stream, for a while, and nowhere kept longer than needed. */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { answer, ask, file } from "./rig/ask.ts";
import { startRig, writeWhole, type Rig, type StreamSeen } from "./rig.ts";

interface Address {
  url: string;
  expires_at_utc: string;
}

async function finished(rig: Rig, name: string): Promise<StreamSeen> {
  const path = writeWhole(rig, name, randomBytes(1_000));
  writeFileSync(`${path}.done`, "");
  return await rig.completed(path);
}

describe("a download", { timeout: 120_000 }, () => {
  it("is signed by the worker, gives the object as a file, and leaves Redis within a minute and no log line", async () => {
    await using rig = await startRig();
    const worker = await rig.start();
    const stream = await finished(rig, 'take "1".mkv');
    const id = await file(rig, "download", [stream.id]);
    const { result, data } = await answer(rig, id, stream.id);
    expect(result).toBe("done");
    const { url, expires_at_utc } = data as unknown as Address;
    const left = Date.parse(expires_at_utc) - Date.now();
    expect(left).toBeGreaterThan(4 * 60_000);
    expect(left).toBeLessThanOrEqual(5 * 60_000);
    const fetched = await fetch(url);
    expect(fetched.headers.get("content-disposition")).toBe(
      `attachment; filename="take _1_.mkv"; filename*=UTF-8''take%20%221%22.mkv`,
    );
    expect(Buffer.from(await fetched.arrayBuffer())).toEqual(readFileSync(stream.original_path));

    expect(await rig.records.redis.pttl(`request:${id}`)).toBeLessThanOrEqual(60_000);
    await worker.terminate();
    const signature = new URL(url).searchParams.get("X-Amz-Signature") ?? "none";
    expect(JSON.stringify([worker.lines, worker.other])).not.toContain(signature);
    const feeds = await Promise.all(
      ["events", "audit", "requests"].map((key) => rig.records.redis.xrange(key, "-", "+")),
    );
    expect(JSON.stringify(feeds)).not.toContain(signature);
  });

  it("is refused where the object is not the stream's, is not there, or is not finished", async () => {
    await using rig = await startRig({ env: { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" } });
    await rig.start();
    const stream = await finished(rig, "a.mkv");
    await rig.bucket.put("a.mkv", "another program's");
    expect(await ask(rig, "download", stream.id)).toMatchObject({
      result: "refused",
      detail: expect.stringContaining("another one than this stream's"),
    });
    const path = writeWhole(rig, "b.mkv", randomBytes(10));
    const growing = await rig.live(path, () => true);
    expect(await ask(rig, "download", growing.id)).toMatchObject({ result: "refused" });
    expect(await ask(rig, "download", "nobody")).toMatchObject({ result: "refused" });
    const old = { filed_at_utc: new Date(Date.now() - 3 * 60_000).toISOString() };
    const id = await file(rig, "download", [stream.id], old);
    expect(await answer(rig, id, stream.id)).toMatchObject({
      result: "refused",
      detail: expect.stringContaining("ask again"),
    });
  });

  it("can be turned off, and is signed for the address that browsers reach", async () => {
    await using rig = await startRig();
    const worker = await rig.start({ SLUICE_S3_DOWNLOADS: "off" });
    const stream = await finished(rig, "a.mkv");
    expect(await ask(rig, "download", stream.id)).toMatchObject({
      result: "refused",
      detail: expect.stringContaining("SLUICE_S3_DOWNLOADS"),
    });
    await worker.terminate();
    await rig.start({ SLUICE_S3_PUBLIC_ENDPOINT: "https://s3.example.com" });
    const { data } = await ask(rig, "download", stream.id);
    expect((data as unknown as Address).url).toMatch(/^https:\/\/s3\.example\.com\/recordings\/a\.mkv\?/);
    expect(await rig.records.redis.hget("worker:rig-worker", "s3_address")).toBe(
      "https://s3.example.com/recordings/",
    );
  });
});
