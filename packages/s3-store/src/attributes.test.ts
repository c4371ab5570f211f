import { describe, expect, test } from "vitest";
import { attributeFields, attributeHeaders, checkAttributes, encodeMetadata } from "./attributes.ts";

describe("S39 user metadata", () => {
  test("is sent as it is where a header can carry it, else percent-encoded as a whole", () => {
    expect(encodeMetadata({ Camera: "front 50%", place: "Zürich", space: " x", line: "a\nb" })).toEqual({
      camera: "front 50%",
      place: "Z%C3%BCrich",
      space: "%20x",
      line: "a%0Ab",
    });
  });

  test("with a lone surrogate does not break the request", () => {
    expect(encodeMetadata({ path: "a\udc80" })).toEqual({ path: "a%EF%BF%BD" });
  });

  const problems: [what: string, metadata: Record<string, string>, says: string][] = [
    ["a name no header can bear", { "my name": "x" }, `"my name" cannot be a header name`],
    ["a name of ours", { "Sluice-File": "x" }, "is reserved"],
    ["more than S3 takes", { a: "x".repeat(2_000) }, "S3 leaves room for 1920"],
    ["more than S3 takes once it is encoded", { a: "ü".repeat(400) }, "take 2401 bytes"],
  ];
  for (const [what, metadata, says] of problems) {
    test(`with ${what} is refused at start`, () => {
      expect(checkAttributes(metadata, {})).toEqual([expect.stringContaining(says)]);
    });
  }

  test("that fits is not refused", () => {
    expect(checkAttributes({ camera: "front", place: "Zürich" }, { team: "a" })).toEqual([]);
  });
});

test("tags beyond S3's bounds are refused at start, every problem at once", () => {
  const many = Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`t${n}`, ""]));
  expect(checkAttributes({}, { ...many, "": "x", long: "x".repeat(257) })).toHaveLength(3);
});

test("a Put bears the same attributes as an upload", () => {
  const fields = attributeFields(
    { contentType: "video/mp4", metadata: { Note: "n" } },
    { storageClass: "GLACIER_IR", sse: "aws:kms", sseKmsKeyId: "key", tags: { a: "b c" } },
  );
  expect(attributeHeaders(fields)).toEqual({
    "content-type": "video/mp4",
    "x-amz-meta-note": "n",
    "x-amz-storage-class": "GLACIER_IR",
    "x-amz-server-side-encryption": "aws:kms",
    "x-amz-server-side-encryption-aws-kms-key-id": "key",
    "x-amz-tagging": "a=b+c",
  });
});
