import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { nodeDigests } from "../../test/node-digests.ts";
import { etagPartCount, multipartEtag } from "./multipart-etag.ts";

const md5 = (data: string | Uint8Array): string => createHash("md5").update(data).digest("hex");

describe("the ETag of an object made of parts", () => {
  it("S20: is the MD5 of the parts' MD5s, and their count", () => {
    const parts = ["one", "two", "three"].map((text) => md5(text));
    const joined = Buffer.from(parts.join(""), "hex");
    expect(multipartEtag(parts, nodeDigests)).toBe(`${md5(joined)}-3`);
  });

  it("S20: cannot be told from ETags that are no MD5s", () => {
    expect(multipartEtag([md5("one"), "kms-opaque"], nodeDigests)).toBeUndefined();
    expect(multipartEtag([md5("one").toUpperCase()], nodeDigests)).toBeUndefined();
    expect(multipartEtag([`${md5("one")}-1`], nodeDigests)).toBeUndefined();
    expect(multipartEtag([`x${md5("one")}`], nodeDigests)).toBeUndefined();
  });

  it("tells how many parts it stands for", () => {
    expect(etagPartCount("d41d8cd98f00b204e9800998ecf8427e-12")).toBe(12);
    expect(etagPartCount("d41d8cd98f00b204e9800998ecf8427e")).toBeUndefined();
    expect(etagPartCount("d41d-3-opaque")).toBeUndefined();
  });
});
