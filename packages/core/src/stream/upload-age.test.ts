import { describe, expect, it } from "vitest";
import { describeOutlook, uploadAbortsAt, uploadAge, type AgedUpload, type Outlook } from "./upload-age.ts";

const HOUR = 3_600_000;
const BEGAN = Date.parse("2026-11-01T00:00:00Z");
const iso = (ms: number) => new Date(ms).toISOString();
const stream = (over: AgedUpload = {}): AgedUpload => ({
  s3_upload_id: "u",
  create_intent_at_utc: iso(BEGAN),
  upload_aborts_at_utc: iso(BEGAN + 24 * HOUR),
  bytes_sent: 100,
  file_size: 100,
  ...over,
});

describe("when the store aborts an upload", () => {
  it("is what the store says, else what is known of it, else unknown", () => {
    expect(uploadAbortsAt("2026-12-01T00:00:00.000Z", BEGAN, { uploadAgeDays: 1 })).toBe(
      "2026-12-01T00:00:00.000Z",
    );
    expect(uploadAbortsAt(undefined, BEGAN, { uploadAgeDays: 7 })).toBe("2026-11-08T00:00:00.000Z");
    expect(uploadAbortsAt(undefined, BEGAN, {})).toBeUndefined();
    expect(uploadAbortsAt(undefined, Number.NaN, { uploadAgeDays: 7 })).toBeUndefined();
  });
});

describe("an upload's outlook", () => {
  it.each<[string, Outlook, number, AgedUpload]>([
    ["with everything sent and most of its life left", "ample", 17, {}],
    ["at three quarters of its life", "ample", 18, {}],
    ["in its last quarter", "near", 19, {}],
    ["that needs longer than is left", "late", 12, { bytes_sent: 100, file_size: 201 }],
    ["that needs just what is left", "ample", 12, { bytes_sent: 100, file_size: 200 }],
    ["past its end", "over", 24, {}],
    ["of which nothing is sent yet", "ample", 1, { bytes_sent: 0 }],
  ])("%s is %s", (_, outlook, hours, over) => {
    expect(uploadAge(stream(over), BEGAN + hours * HOUR)).toMatchObject({
      outlook,
      leftMs: (24 - hours) * HOUR,
    });
  });

  it("counts from the stream's beginning where the record has none of the upload's", () => {
    const { create_intent_at_utc: _, ...founding } = stream({ started_at_utc: iso(BEGAN) });
    expect(uploadAge(founding, BEGAN + 19 * HOUR)).toMatchObject({ outlook: "near" });
  });

  it("says how long the rest takes at the rate so far", () => {
    const needed = (over: AgedUpload) => uploadAge(stream(over), BEGAN + 2 * HOUR)?.neededMs;
    expect(needed({ bytes_sent: 100, file_size: 150 })).toBe(HOUR);
    expect(needed({ bytes_sent: 150, file_size: 150 })).toBe(0);
    expect(needed({ bytes_sent: 0, file_size: 0 })).toBe(0);
    expect(needed({ bytes_sent: 0, file_size: 150 })).toBeUndefined();
    expect(needed({ bytes_sent: undefined, file_size: undefined })).toBe(0);
  });

  it("is told with what to do about it", () => {
    expect(describeOutlook("ample")).toBe("there is enough time");
    expect(describeOutlook("near")).toContain("end it before, or raise the store's limit");
    expect(describeOutlook("late")).toContain("give the upload more bandwidth");
    expect(describeOutlook("over")).toContain("may abort the upload at any moment");
  });

  it("does not go by a rate of the first minute", () => {
    const behind = stream({ bytes_sent: 1, file_size: 1e12 });
    expect(uploadAge(behind, BEGAN + 59_000)).toMatchObject({ outlook: "ample", neededMs: undefined });
    expect(uploadAge(behind, BEGAN + 60_000)).toMatchObject({ outlook: "late" });
  });

  it("is none without an upload or a limit", () => {
    expect(uploadAge({ file_size: 5 }, BEGAN)).toBeUndefined();
    const { s3_upload_id: _, ...closed } = stream();
    expect(uploadAge(closed, BEGAN)).toBeUndefined();
    const { upload_aborts_at_utc: __, ...unlimited } = stream();
    expect(uploadAge(unlimited, BEGAN)).toBeUndefined();
    expect(uploadAge(stream({ upload_aborts_at_utc: "soon" }), BEGAN)).toBeUndefined();
  });
});
