import { describe, expect, test } from "vitest";
import { attributeFields, attributeHeaders, encodeMetadata } from "./attributes.ts";

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
