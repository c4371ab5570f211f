import { expect, test } from "vitest";
import type { StreamRow } from "@sluice/control/stream-row";
import type { WorkerListing } from "@sluice/redis-schema/worker-registry";
import { repeatedNames, workerTrouble } from "./attention.ts";

function row(id: string, path: string, number: number): StreamRow {
  const s3_key = `${path.slice(1)}-${number}`;
  return {
    id,
    status: "completed",
    source: "s",
    watch: "in",
    original_path: path,
    name_number: number,
    s3_key,
  };
}

test("no stream with a repeated name, no item", () => {
  expect(repeatedNames([])).toEqual([]);
});

test("one path is one item, however many names it got; it says the last one and names the setting", () => {
  const [item, ...others] = repeatedNames([row("a", "/doc", 3), row("c", "/doc", 5), row("b", "/doc", 4)]);
  expect(others).toEqual([]);
  expect(item).toMatchObject({
    id: "repeated-names",
    weight: "warn",
    title: "1 file gets a new object each time it is rewritten",
    href: "/streams/c",
  });
  expect(item?.detail).toContain("doc got at least 3 names within a day, last doc-5.");
  expect(item?.remedy).toContain("SLUICE_ON_REPLACE=replace for the watch (in)");
});

test("several paths are one item too, which leads to the list", () => {
  const [item] = repeatedNames([row("a", "/list", 3), row("b", "/doc", 4)]);
  expect(item?.title).toBe("2 files get a new object each time they are rewritten");
  expect(item?.detail).toContain("doc got at least 3 names within a day, last doc-4, and 1 other file");
  expect(item?.href).toBe("/streams?view=completed");
});

test.each(["processing", "failed_part_limit"])(
  "a name is chosen before its object is stored (%s): nothing is said to be stored",
  (status) => {
    const [item] = repeatedNames([{ ...row("a", "/doc", 3), status }]);
    expect(item?.detail).toContain("doc got at least 3 names");
    expect(item?.detail).not.toMatch(/stored|kept/);
  },
);

test("a blocked worker's remedy is to fix what blocks it: nothing resumes before", () => {
  const lease = {
    kind: "ok",
    value: { state: "blocked", state_detail: "store: credentials are rejected" },
  } as WorkerListing["lease"];
  const [item] = workerTrouble({ listings: [{ id: "w1", lastSeenAt: 0, lease }], unowned: 0 });
  expect(item).toMatchObject({
    id: "blocked-w1",
    detail: "store: credentials are rejected",
    remedy: expect.stringMatching(/^Fix what is named here\. Uploads then resume/),
  });
});
