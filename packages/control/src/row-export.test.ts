import { describe, expect, it } from "vitest";
import { failedRow } from "../test/failed-row.ts";
import { headOf, linesOf, rowToJson } from "./row-export.ts";

it("a row in JSON has the record's own field names and nothing computed", () => {
  expect(Object.keys(rowToJson(failedRow({ index: "failed", score: 5 })))).toEqual([
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

describe("exported rows", () => {
  const hostile = failedRow({ original_path: '/rec/=1+1,"x"\r\n.mkv', source: "=cmd()", file_size: 7 });

  it("are one line each, whatever a name contains, and no cell is a formula", () => {
    const csv = linesOf([hostile], "csv");
    expect(csv).toBe(
      `s1,failed_access_denied,"/rec/=1+1,""x""\r\n.mkv",'=cmd(),rec,,cam1/a.mkv,7,,,2026-11-24T11:00:00Z,,,,,\r\n`,
    );
    expect(headOf("csv").split(",")).toHaveLength(16);
    const lines = linesOf([hostile, failedRow()], "ndjson").trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { source: string }).source)).toEqual(["=cmd()", "src"]);
  });
});
