import { expect, test } from "vitest";
import type { StreamRow } from "@sluice/control/stream-row";
import { diskTrouble, endingTrouble, orphanTrouble, repeatedNames, workerTrouble } from "./attention.ts";

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

const CALM = { noWorker: false, unwatched: [], gone: [], blocked: [], workers: 4, live: 3 };

test("a blocked worker is named with its host, since when, and of how many; nothing resumes before what blocks it is fixed", () => {
  const blocked = [{ id: "w1", host: "cam-host-2", detail: "store: credentials are rejected", since: 5 }];
  const [item, ...others] = workerTrouble({ ...CALM, blocked });
  expect(others).toEqual([]);
  expect(item).toMatchObject({
    id: "blocked-w1",
    weight: "bad",
    title: "Worker w1 on cam-host-2 is blocked (1 of 4 are)",
    detail: "store: credentials are rejected",
    since: 5,
    remedy: expect.stringMatching(/^Fix what is named here\. Uploads then resume/) as string,
  });
});

test("a worker that is gone with streams is trouble, named by what it last said", () => {
  const gone = [
    {
      id: "cam-host-2-9464",
      host: "cam-host-2",
      source: "cams",
      since: 7,
      streams: 2,
      bytes: 2_048,
      relieved: false,
    },
  ];
  const unwatched = [{ source: "cams", streams: 2 }];
  const [item, ...others] = workerTrouble({ ...CALM, gone, unwatched });
  expect(others).toEqual([]);
  expect(item).toMatchObject({
    weight: "bad",
    title: "Worker cam-host-2-9464 is gone with 2 live streams",
    detail: "2.0 KiB on source cams were not in S3 when it was last seen.",
    since: 7,
    remedy: "Start a worker on source cams: it resumes where this one stopped.",
  });
});

test("streams that a worker gave back wait for one on their source, whoever works elsewhere", () => {
  const [item] = workerTrouble({ ...CALM, unwatched: [{ source: "cams", streams: 1 }] });
  expect(item).toMatchObject({ id: "unwatched-cams", weight: "bad", title: "No worker runs on source cams" });
});

test("a disk that fills is named with its host and when it is full; urgent ones are problems, others notes", () => {
  const disk = {
    watch: "rec",
    source: "cams",
    worker: "w1",
    host: "cam-host-2",
    total_bytes: 100 * 1024 ** 3,
  };
  const room = { ...disk, free_bytes: 50 * 1024 ** 3 };
  expect(diskTrouble([room, { ...room, full_in_ms: 60_000 }])).toEqual([]);
  const warned = { filling_since_utc: new Date(7).toISOString() };
  const [note] = diskTrouble([{ ...room, ...warned, full_in_ms: 3 * 3_600_000 }]);
  expect(note).toMatchObject({
    id: "disk-cams-rec",
    weight: "warn",
    title: "The disk of watch rec fills: 50.0 GiB of 100 GiB free, full in 3 h at this rate",
    detail: "On cam-host-2, source cams, as worker w1 reports.",
    since: 7,
  });
  expect(diskTrouble([{ ...disk, ...warned, free_bytes: 0 }])[0]?.weight).toBe("bad");
});

test("an only copy that ends soon is a problem with its time; several lead to the failed page", () => {
  const ending = {
    uploadId: "u1",
    streamId: "s1",
    bucket: "b",
    key: "a.mxf",
    path: "/rec/a.mxf",
    bytes: 5,
    beganAt: 0,
    endsAt: 7_200_000,
    by: "retention" as const,
  };
  expect(endingTrouble([], 0)).toEqual([]);
  expect(endingTrouble([ending], 0)[0]).toMatchObject({
    weight: "bad",
    title: "1 upload that is an only copy ends soon",
    detail: "a.mxf, 5 B, in 2 h, by SLUICE_FAILED_UPLOAD_RETENTION. No other copy of its bytes is known.",
    href: "/streams/s1",
  });
  expect(endingTrouble([ending, ending], 0)[0]).toMatchObject({ href: "/failed" });
  expect(endingTrouble([{ ...ending, streamId: undefined }], 0)[0]).toMatchObject({ href: "/orphans" });
});

test("our orphans that may be deleted are one note, with what they hold and cost; without any there is none", () => {
  const settings = { storagePrice: { amount: 0.02, currency: "USD" }, orphanAgeMs: 86_400_000 };
  expect(orphanTrouble({ uploads: 0, bytes: 0, unlisted: 0 }, settings)).toEqual([]);
  const [note] = orphanTrouble({ uploads: 2, bytes: 1024 ** 3, unlisted: 1, cost: 0.02 }, settings);
  expect(note).toMatchObject({
    id: "orphans",
    weight: "warn",
    title: "2 uploads that no stream owns may be deleted",
    href: "/orphans",
  });
  expect(note?.detail).toContain("older than 1 d: at least 1.0 GiB, at least 0.02 USD a month.");
  const [free] = orphanTrouble(
    { uploads: 1, bytes: 5, unlisted: 0 },
    { ...settings, storagePrice: undefined },
  );
  expect(free?.detail).toMatch(/: 5 B\.$/);
});
