import type { Head } from "@sluice/core";
import { STREAM_ID_HEADER } from "@sluice/core/object/object-headers";
import { describe, expect, it } from "vitest";
import { whyNoDownload } from "./download-request.ts";

const RECORD = { status: "completed", etag: "e-1" } as const;
const METADATA = { [STREAM_ID_HEADER]: "me" };

function found(etag: string, metadata: Record<string, string> = METADATA): Head {
  return { kind: "found", object: { size: 5, etag, metadata } };
}

describe("a download", () => {
  it.each<[what: string, record: Parameters<typeof whyNoDownload>[0], head: Head, why: RegExp | undefined]>([
    ["of the stream's own object is signed", RECORD, found("e-1"), undefined],
    [
      "of an object that is not described yet too",
      { ...RECORD, status: "s3_completed" },
      found("e-1"),
      undefined,
    ],
    // After a lost Redis the stream has another id than the one that wrote the object.
    [
      "of an object that was recognised too",
      RECORD,
      found("e-1", { [STREAM_ID_HEADER]: "earlier" }),
      undefined,
    ],
    [
      "of a growing stream is refused",
      { ...RECORD, status: "processing" },
      found("e-1"),
      /does not exist yet/,
    ],
    ["of an object that is gone is refused", RECORD, { kind: "missing" }, /no longer exists/],
    ["of what the store hides is refused", RECORD, { kind: "unknown" }, /does not say/],
    ["of a later object at its key is refused", RECORD, found("e-2"), /another one/],
    ["of an object that Sluice did not write is refused", RECORD, found("e-1", {}), /another one/],
    ["without an ETag in the record is refused", { status: "completed" }, found("e-1"), /another one/],
  ])("%s", (_, record, head, why) => {
    if (why === undefined) expect(whyNoDownload(record, head)).toBeUndefined();
    else expect(whyNoDownload(record, head)).toMatch(why);
  });
});
