import type { ListedStream, Orphan } from "@sluice/redis-schema";
import { expect, it } from "vitest";
import { EndingWatch, endingData, type EndingWatchDeps } from "./ending-watch.ts";

const NOW = Date.parse("2026-11-30T12:00:00.000Z");
const HOUR = 3_600_000;
const iso = (ms: number): string => new Date(NOW + ms).toISOString();

const missing = (id: string): ListedStream => ({
  id,
  status: "failed_file_missing",
  kind: "failed",
  source_state: "missing",
  s3_bucket: "b",
  s3_key: `${id}.mxf`,
  s3_upload_id: `u-${id}`,
  original_path: `/rec/${id}.mxf`,
  bytes_sent: 5,
  create_intent_at_utc: iso(-40 * HOUR),
  upload_aborts_at_utc: iso(8 * HOUR),
});
const KEPT_BY_PURGE: Orphan = {
  s3_upload_id: "u-kept",
  s3_bucket: "b",
  s3_key: "kept.mxf",
  verdict: "only_copy",
  because: "a purge kept it",
  initiated_at_utc: iso(-40 * HOUR),
  upload_aborts_at_utc: iso(HOUR),
  bytes: 7,
  first_seen_at_utc: iso(0),
  last_seen_at_utc: iso(0),
};

function watch() {
  const clock = { now: 0 };
  const deps: EndingWatchDeps = {
    reader: {
      page: (_, { cursor }) =>
        Promise.resolve(
          cursor === undefined ? { rows: [missing("a")], next: "2" } : { rows: [missing("c")] },
        ),
    },
    orphans: { orphans: () => Promise.resolve([KEPT_BY_PURGE]) },
    clock: { wallMs: () => NOW, monotonicMs: () => clock.now },
  };
  return { endings: new EndingWatch(deps), clock };
}

it("finds them on every page of failed streams, and among those that a purge kept; the first to end first", async () => {
  const found = await watch().endings.look([]);
  expect(found?.map(({ uploadId }) => uploadId)).toEqual(["u-kept", "u-a", "u-c"]);
});

it("looks again after a minute, not before", async () => {
  const { endings, clock } = watch();
  expect(await endings.look([])).toHaveLength(3);
  clock.now = 59_999;
  expect(await endings.look([])).toBeUndefined();
  clock.now = 60_000;
  expect(await endings.look([])).toHaveLength(3);
});

it("a receiver gets where the bytes are, until when, and who ends them", async () => {
  const [kept, stream] = (await watch().endings.look([])) ?? [];
  expect(kept && endingData(kept, NOW)).toEqual({
    s3_bucket: "b",
    s3_key: "kept.mxf",
    s3_upload_id: "u-kept",
    original_path: "kept.mxf",
    bytes: "7",
    ends_at: iso(HOUR),
    by: "store",
    cause: "kept.mxf, 7 B, in 1 h, by the store's age limit",
  });
  expect(stream && endingData(stream, NOW)["stream_id"]).toBe("a");
});
