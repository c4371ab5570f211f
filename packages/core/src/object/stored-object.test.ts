import { describe, expect, it } from "vitest";
import type { Head, StoredObject } from "../ports/object-store.ts";
import { FILE_HEADER, STREAM_ID_HEADER } from "./object-headers.ts";
import { judgeObject } from "./stored-object.ts";

const RECORD = { id: "s1" as never, s3_key: "a.bin", file_size: 9, etag: "e", crc32: "c" };
const OURS: StoredObject = {
  size: 9,
  etag: "e",
  crc32: "c",
  metadata: { [STREAM_ID_HEADER]: "s1", [FILE_HEADER]: "token" },
};

const found = (over: Partial<StoredObject>): Head => ({ kind: "found", object: { ...OURS, ...over } });
const ids = (stream: string, file: string) => ({
  metadata: { [STREAM_ID_HEADER]: stream, [FILE_HEADER]: file },
});

describe("D5a: the object of a stored file", () => {
  it.each<[string, Head, "proved" | "unknown" | "lost"]>([
    ["that is as it was recorded is proved", found({}), "proved"],
    ["that another stream of the same file put there is proved", found(ids("s0", "token")), "proved"],
    ["that bears no ids, with the recorded digest, is proved", found({ metadata: {} }), "proved"],
    ["whose ETag another storage class changed is proved by its checksum", found({ etag: "x" }), "proved"],
    ["that no longer exists is lost", { kind: "missing" }, "lost"],
    ["that the store neither shows nor denies is unknown", { kind: "unknown" }, "unknown"],
    ["of another size is lost", found({ size: 8 }), "lost"],
    ["of another checksum is lost, whatever its ETag", found({ crc32: "d" }), "lost"],
    ["of another file is lost, though everything else is equal", found(ids("s0", "other")), "lost"],
  ])("%s", (_case, head, kind) => {
    expect(judgeObject(RECORD, head, "token").kind).toBe(kind);
  });

  it.each<[string, Partial<typeof RECORD>, Partial<StoredObject>, "proved" | "lost"]>([
    ["by its ETag, where the store keeps no checksum", {}, { crc32: undefined as never }, "proved"],
    ["not by another ETag", {}, { crc32: undefined as never, etag: "x" }, "lost"],
    ["by its ETag, where the record has no checksum", { crc32: undefined as never }, {}, "proved"],
    ["not by a record without either", { crc32: undefined as never, etag: undefined as never }, {}, "lost"],
  ])("is proved %s", (_case, record, object, kind) => {
    expect(judgeObject({ ...RECORD, ...record }, found(object), "token").kind).toBe(kind);
  });
});
