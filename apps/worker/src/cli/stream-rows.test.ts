import { INDEXES, KINDS } from "@sluice/core";
import type { ListedStream } from "@sluice/redis-schema";
import { describe, expect, it } from "vitest";
import { chooseStates, rowToJson } from "./stream-rows.ts";

function row(over: Partial<ListedStream> = {}): ListedStream {
  return {
    id: "s1",
    status: "failed_access_denied",
    kind: "failed",
    source: "src",
    watch: "rec",
    original_path: "/rec/cam1/a.mkv",
    s3_key: "cam1/a.mkv",
    failure_reason: "access_denied",
    last_activity_at_utc: "2026-11-24T11:00:00Z",
    ...over,
  };
}

describe("states", () => {
  it("of an index name all its kinds, and also records without a kind", () => {
    expect(chooseStates(["failed"])).toEqual({ indexes: ["failed"], kinds: undefined });
    expect(chooseStates(["all"])).toEqual({ indexes: [...INDEXES], kinds: undefined });
    expect(chooseStates(["opening", "processing"])).toEqual({ indexes: ["active"], kinds: undefined });
  });

  it("of a kind leave the other kinds of its index out", () => {
    expect(chooseStates(["opening"])).toEqual({ indexes: ["active"], kinds: new Set(["opening"]) });
  });

  it("that do not exist are told", () => {
    expect(chooseStates(["gone"])).toBeUndefined();
    for (const kind of KINDS) expect(chooseStates([kind])).toBeDefined();
  });
});

it("a row in JSON has the record's own field names and nothing computed", () => {
  expect(Object.keys(rowToJson(row({ index: "failed", score: 5 })))).toEqual([
    "id",
    "status",
    "source",
    "watch",
    "original_path",
    "s3_key",
    "failure_reason",
    "last_activity_at_utc",
  ]);
});
