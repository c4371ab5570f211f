/** What a browser gets of a store with an address that a worker signed, and what not. */
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { publicAddresses } from "../src/public-addresses.ts";
import { BUCKET, startRig, type Rig } from "./rig.ts";

const BODY = Buffer.from("bytes of a recording");

async function stored(rig: Rig, key: string): Promise<void> {
  await rig.store.put(
    { bucket: BUCKET, key },
    { body: BODY, crc: crc32(BODY), condition: undefined, contentType: "text/html", metadata: {} },
  );
}

describe("an address for a download", () => {
  test.each(["cam/take 1.mkv", "ü & (1)+%/a'b*!.ts", "a//b?c#d"])(
    "of %j gives this object as a file, to everybody",
    async (key) => {
      await using rig = await startRig();
      await stored(rig, key);
      const addresses = await publicAddresses(rig.connection, undefined);
      const before = Date.now();
      const made = await addresses.download({ bucket: BUCKET, key }, 'take "1".mkv', 60_000);
      expect(made?.expiresAtMs).toBeGreaterThanOrEqual(before + 59_000);
      const answer = await fetch(made?.url ?? "");
      expect(answer.status).toBe(200);
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(BODY);
      expect(answer.headers.get("content-disposition")).toMatch(/^attachment; filename="take _1_.mkv"/);
      expect(answer.headers.get("content-type")).toBe("application/octet-stream");
    },
  );

  test("is signed for this object, this time, and reading alone", async () => {
    await using rig = await startRig();
    await stored(rig, "one.ts");
    await stored(rig, "two.ts");
    const addresses = await publicAddresses(rig.connection, undefined);
    const url = (await addresses.download({ bucket: BUCKET, key: "one.ts" }, "one.ts", 60_000))?.url ?? "";
    const tried = await Promise.all([
      fetch(url.replace("/one.ts?", "/two.ts?")),
      fetch(url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000")),
      fetch(url.replace("octet-stream", "xhtml")),
      fetch(url, { method: "DELETE" }),
    ]);
    expect(tried.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    expect((await fetch(url)).status).toBe(200);
  });

  test("ends", async () => {
    let aheadMs = 0;
    await using rig = await startRig({ server: { now: () => Date.now() + aheadMs } });
    await stored(rig, "one.ts");
    const addresses = await publicAddresses(rig.connection, undefined);
    const url = (await addresses.download({ bucket: BUCKET, key: "one.ts" }, "one.ts", 60_000))?.url ?? "";
    aheadMs = 61_000;
    expect((await fetch(url)).status).toBe(403);
  });

  test("leads to the store's public endpoint, which is never called", async () => {
    await using rig = await startRig();
    const addresses = await publicAddresses(rig.connection, "https://s3.example.com:8443/store");
    expect(await addresses.of(BUCKET)).toBe(`https://s3.example.com:8443/store/${BUCKET}/`);
    const made = await addresses.download({ bucket: BUCKET, key: "a b.ts" }, "a b.ts", 60_000);
    expect(made?.url).toMatch(/^https:\/\/s3\.example\.com:8443\/store\/recordings\/a%20b\.ts\?/);
    expect(rig.log).toEqual([]);
  });

  test("ends with the credentials that signed it", async () => {
    const expiration = new Date(Date.now() + 30_000);
    const credentials = () =>
      Promise.resolve({ accessKeyId: "A", secretAccessKey: "B", sessionToken: "C", expiration });
    await using rig = await startRig({ settings: { credentials } });
    const addresses = await publicAddresses(rig.connection, undefined);
    const made = await addresses.download({ bucket: BUCKET, key: "a.ts" }, "a.ts", 300_000);
    expect(made?.expiresAtMs).toBeLessThanOrEqual(expiration.getTime());
    expect(made?.url).toContain("X-Amz-Security-Token=C");
  });

  test("is not made for a key that browsers would change", async () => {
    await using rig = await startRig();
    const addresses = await publicAddresses(rig.connection, undefined);
    expect(await addresses.download({ bucket: BUCKET, key: "a/../b.ts" }, "b.ts", 60_000)).toBeUndefined();
  });
});
