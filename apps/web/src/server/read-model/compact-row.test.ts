import { listedStream } from "@sluice/redis-schema/stream-rows";
import { describe, expect, test } from "vitest";
import { RowTable } from "./row-table.ts";

const HASH = {
  status: "completed",
  original_path: "/srv/in/a.mkv",
  watch: "in",
  s3_key_prefix: "",
  s3_key: "a.mkv",
  file_size: "5000000000",
  etag: "abc-2",
};

function row(id: string) {
  const listed = listedStream(id, HASH);
  if (listed === undefined) throw new Error("the record is there");
  return { ...listed, index: "completed" as const, score: 7 };
}

describe("a row that is kept", () => {
  test("says what the record says, and goes out as it came in", () => {
    const table = new RowTable();
    table.put(row("one"));
    expect(table.get("one")).toEqual(row("one"));
    expect(JSON.parse(JSON.stringify(table.get("one")))).toEqual(JSON.parse(JSON.stringify(row("one"))));
  });

  test("has the same fields in the same order whatever its record lacks, so that all rows have one shape", () => {
    const table = new RowTable();
    table.put(row("one"));
    table.put({ id: "two", status: "" });
    expect(Object.keys(table.get("two") ?? {})).toEqual(Object.keys(table.get("one") ?? {}));
  });
});
