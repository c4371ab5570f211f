/** What only looks like success is never called success. */
import { describe, expect, test } from "vitest";
import type { FaultAction } from "@sluice/local-s3";
import { TROUBLE } from "@sluice/local-s3";
import { HEADERS, openUpload, partRequest, putRequest, ref, startRig, uploadWithPart } from "./rig.ts";

const PART = Buffer.from("a part");
const reply = (status: number, body: string, type = "application/xml"): FaultAction => ({
  kind: "reply",
  reply: { status, body, headers: { "content-type": type } },
});
const unknown = (trouble: string) => ({ name: "StoreError", trouble, outcomeUnknown: true });
/** The reply is cut off, or the store says that it failed; the bucket answers meanwhile. */
const [CUT, FAILED] = [unknown("unreachable"), unknown("failing")];

describe("K1 Complete answered with 200", () => {
  const dead: [what: string, action: FaultAction, outcome: object][] = [
    ["an error inside", TROUBLE.errorIn200(), FAILED],
    ["an error inside and a line feed behind it", TROUBLE.errorIn200(true), FAILED],
    ["nothing inside", reply(200, ""), FAILED],
    ["spaces only", reply(200, "     "), FAILED],
    ["half a document", reply(200, "<CompleteMultipartUploadResult><ETag>"), CUT],
    ["spaces and then a cut connection", { kind: "drip", spaces: 3, everyMs: 5, cut: true }, CUT],
  ];
  for (const [what, action, outcome] of dead) {
    test(`and ${what} leaves the outcome unknown`, async () => {
      await using rig = await startRig();
      const { upload, request } = await uploadWithPart(rig.store, "k1.mp4");
      rig.faults.add({ operation: "CompleteMultipartUpload" }, action);
      await expect(rig.store.complete(upload, request)).rejects.toMatchObject(outcome);
    });
  }

  for (const [what, action] of [
    ["a page of HTML", TROUBLE.htmlIn200()],
    [
      "no ETag",
      reply(200, "<CompleteMultipartUploadResult><Key>k1.mp4</Key></CompleteMultipartUploadResult>"),
    ],
    [
      "an empty ETag (S16)",
      reply(200, "<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>"),
    ],
  ] as const) {
    test(`S16: and ${what} proves nothing: there is no ETag to believe`, async () => {
      await using rig = await startRig();
      const { upload, request } = await uploadWithPart(rig.store, "k1.mp4");
      rig.faults.add({ operation: "CompleteMultipartUpload" }, action);
      expect(await rig.store.complete(upload, request)).toEqual({ kind: "completed", etag: undefined });
      expect((await rig.store.head(upload)).kind).toBe("missing");
    });
  }

  test("and InvalidPart inside is an answer about the parts", async () => {
    await using rig = await startRig();
    const { upload, request } = await uploadWithPart(rig.store, "k1.mp4");
    const body = "<Error><Code>InvalidPart</Code><Message>gone</Message></Error>";
    rig.faults.add({ operation: "CompleteMultipartUpload" }, reply(200, body));
    expect(await rig.store.complete(upload, request)).toEqual({ kind: "invalid_part", detail: "gone" });
  });

  test("S12 S13 after many spaces is a success like any other", async () => {
    await using rig = await startRig();
    const { upload, request } = await uploadWithPart(rig.store, "k1.mp4");
    rig.faults.add({ operation: "CompleteMultipartUpload" }, { kind: "drip", spaces: 20, everyMs: 5 });
    expect(await rig.store.complete(upload, request)).toMatchObject({
      kind: "completed",
      etag: expect.any(String),
    });
  });
});

describe("a reply that lacks what it must hold is not believed", () => {
  const portal = TROUBLE.htmlIn200();

  test("a part without an ETag", async () => {
    await using rig = await startRig();
    const upload = await openUpload(rig.store, "a");
    rig.faults.add({ operation: "UploadPart" }, TROUBLE.missingETag());
    await expect(rig.store.uploadPart(upload, 1, partRequest(PART))).rejects.toMatchObject(CUT);
  });

  test("an object without an ETag", async () => {
    await using rig = await startRig();
    rig.faults.add({ operation: "PutObject" }, TROUBLE.missingETag());
    await expect(rig.store.put(ref("a"), putRequest(PART))).rejects.toMatchObject(CUT);
  });

  test("a new upload without an id", async () => {
    await using rig = await startRig();
    rig.faults.add({ operation: "CreateMultipartUpload" }, portal);
    await expect(rig.store.createUpload(ref("a"), HEADERS)).rejects.toMatchObject(CUT);
  });

  test("a captive portal is not a list of no parts", async () => {
    await using rig = await startRig();
    const { upload } = await uploadWithPart(rig.store, "a");
    rig.faults.add({ operation: "ListParts" }, portal);
    await expect(rig.store.listParts(upload)).rejects.toMatchObject({
      trouble: "unreachable",
      code: "BadReply",
    });
  });

  test("a captive portal is not a list of no uploads", async () => {
    await using rig = await startRig();
    await openUpload(rig.store, "a");
    rig.faults.add({ operation: "ListMultipartUploads" }, portal);
    const listing = Array.fromAsync(rig.store.listUploads("recordings", ""));
    await expect(listing).rejects.toMatchObject({ trouble: "unreachable", code: "BadReply" });
  });

  test("a captive portal is not an object", async () => {
    await using rig = await startRig();
    rig.faults.add({ operation: "HeadObject" }, portal);
    await expect(rig.store.head(ref("a"))).rejects.toMatchObject({
      trouble: "unreachable",
      code: "BadReply",
    });
  });

  test("a proxy's 404 page does not end an upload", async () => {
    await using rig = await startRig();
    const upload = await openUpload(rig.store, "a");
    rig.faults.add({ operation: "UploadPart" }, reply(404, "<html>Not Found</html>", "text/html"));
    const sent = rig.store.uploadPart(upload, 1, partRequest(PART));
    await expect(sent).rejects.toMatchObject({ name: "StoreError", status: 404 });
  });

  test("a reply that confirms another checksum means other bytes were stored", async () => {
    await using rig = await startRig();
    const upload = await openUpload(rig.store, "a");
    const other = { kind: "alterReply", reply: { headers: { "x-amz-checksum-crc32": "AAAAAA==" } } } as const;
    rig.faults.add({ operation: ["UploadPart", "PutObject"], times: 2 }, other);
    const garbled = { trouble: "garbled", code: "ReplyMismatch" };
    await expect(rig.store.uploadPart(upload, 1, partRequest(PART))).rejects.toMatchObject(garbled);
    await expect(rig.store.put(ref("b"), putRequest(PART))).rejects.toMatchObject(garbled);
  });

  test("with MD5 as the only proof, an ETag that is another MD5 means other bytes were stored", async () => {
    await using rig = await startRig({ quirks: { noChecksums: true }, profile: { checksum: "md5" } });
    const other = { kind: "alterReply", reply: { headers: { etag: `"${"0".repeat(32)}"` } } } as const;
    rig.faults.add({ operation: "PutObject" }, other);
    const put = rig.store.put(ref("b"), putRequest(PART));
    await expect(put).rejects.toMatchObject({ trouble: "garbled" });
  });

  test("a Put is verified only where the reply proves it", async () => {
    await using rig = await startRig();
    expect(await rig.store.put(ref("a"), putRequest(PART))).toMatchObject({ verified: true });
    rig.faults.add(
      { operation: "PutObject" },
      { kind: "alterReply", withoutHeaders: ["x-amz-checksum-crc32"] },
    );
    expect(await rig.store.put(ref("a"), putRequest(PART))).toMatchObject({ verified: false });
  });
});
