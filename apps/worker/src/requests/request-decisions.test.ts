import { describe, expect, it } from "vitest";
import {
  judgeAbort,
  judgeFinalize,
  judgeRetry,
  judgeSalvage,
  mayAsk,
  type Decision,
  type Facts,
} from "./request-decisions.ts";

type Row = NonNullable<Facts["row"]>;

const LIVE: Row = { status: "processing", kind: "processing", source: "a" };
const FAILED: Row = { status: "failed_file_missing", kind: "failed", source: "a" };
const ABORTED: Row = { status: "failed_aborted_by_operator", kind: "failed", source: "a" };
const COMPLETED: Row = { status: "completed", kind: "completed", source: "a" };
const ASKED: Row = { ...LIVE, requested_action: "abort" };
const MIN = 60_000;

describe("D8a, D8c: an abort", () => {
  it.each<[what: string, row: Row | undefined, runsHere: boolean, ageMs: number, kind: Decision["kind"]]>([
    ["of a stream that runs here is begun", LIVE, true, 1_000, "act"],
    ["of another worker's stream waits for that one", LIVE, false, 1_000, "pending"],
    ["that is in the record is waited for", ASKED, true, 1_000, "pending"],
    ["that is in the record is done however old it is", ASKED, true, 60 * MIN, "pending"],
    ["whose stream ended by it is done, whoever saw to it", ABORTED, false, 60 * MIN, "done"],
    ["that is older than 10 min is never begun", LIVE, true, 10 * MIN + 1, "refused"],
    ["at exactly 10 min is begun", LIVE, true, 10 * MIN, "act"],
    ["just past 10 min is left to the owner to refuse", LIVE, false, 10 * MIN + 1, "pending"],
    ["that nobody came to is refused by whoever sees it", LIVE, false, 11 * MIN, "refused"],
    ["of a failed stream is refused", FAILED, false, 0, "refused"],
    ["of a completed stream is refused", COMPLETED, false, 0, "refused"],
    ["of no stream is refused", undefined, false, 0, "refused"],
  ])("%s", (_, row, runsHere, ageMs, kind) => {
    expect(judgeAbort({ row, runsHere, theirs: false, ageMs, source: "a" }).kind).toBe(kind);
  });

  it("that is too old says to ask again", () => {
    expect(judgeAbort({ row: LIVE, runsHere: true, theirs: false, ageMs: 20 * MIN, source: "a" })).toEqual({
      kind: "refused",
      detail: expect.stringContaining("request it again"),
    });
  });

  it("D8a: of a source without a living worker waits for one, then says what to do, and begins nothing", () => {
    const facts = { row: LIVE, runsHere: false, theirs: false, source: "b" };
    expect(judgeAbort({ ...facts, ageMs: 10 * MIN }).kind).toBe("pending");
    expect(judgeAbort({ ...facts, ageMs: 11 * MIN })).toEqual({
      kind: "refused",
      detail: expect.stringMatching(
        /no worker of source a is running.*sluice adopt --from a.*request it again/,
      ),
    });
  });
});

describe("D8a: a finalize", () => {
  it.each<[what: string, row: Row | undefined, runsHere: boolean, kind: Decision["kind"]]>([
    ["is the owner's, however old it is", LIVE, true, "act"],
    ["of a stream without an owner waits until it has one", LIVE, false, "pending"],
    ["after an abort is refused", ASKED, true, "refused"],
    ["of a failed stream is refused", FAILED, false, "refused"],
    ["of a completed stream is refused", COMPLETED, false, "refused"],
    ["of no stream is refused", undefined, false, "refused"],
  ])("%s", (_, row, runsHere, kind) => {
    expect(judgeFinalize({ row, runsHere, theirs: false }).kind).toBe(kind);
  });
});

describe("D8a, D8f: a retry", () => {
  const own = { source: "a", covers: true };
  it.each<[what: string, row: Row | undefined, runsHere: boolean, over: Partial<typeof own>, kind: string]>([
    ["of a failed stream of ours is done", FAILED, false, {}, "act"],
    ["of another source's is not ours", FAILED, false, { source: "b" }, "pending"],
    ["of a file under no watch of ours is not ours", FAILED, false, { covers: false }, "pending"],
    ["of a live stream is its owner's to refuse", LIVE, true, {}, "refused"],
    ["of a live stream is nobody else's to touch", LIVE, false, {}, "pending"],
    ["of a completed stream is refused", COMPLETED, false, {}, "refused"],
    ["of a superseded stream is refused", { ...FAILED, superseded_by: "x" }, false, {}, "refused"],
    ["of a record that cannot be read is refused", { status: "odd", kind: undefined }, false, {}, "refused"],
    ["of no stream is refused", undefined, false, {}, "refused"],
  ])("%s", (_, row, runsHere, over, kind) => {
    expect(judgeRetry({ row, runsHere, theirs: false }, { ...own, ...over }).kind).toBe(kind);
  });
});

describe("D8a: a question to the store", () => {
  const own = { source: "a", bucket: "b" };
  it.each([
    ["about our own source is ours", { source: "a", bucket: "b" }, true, true],
    ["about a living source is that one's", { source: "x", bucket: "b" }, true, false],
    ["about a source that is gone is anybody's with the bucket", { source: "x", bucket: "b" }, false, true],
    ["about another bucket of a source that is gone is not ours", { source: "x", bucket: "y" }, false, false],
  ])("%s", (_, stream, alive, may) => {
    expect(mayAsk(stream, own, alive)).toBe(may);
  });
});

describe("D8a: what is of another source with a living worker is left to that one", () => {
  it.each([LIVE, FAILED, ABORTED, COMPLETED, ASKED])("$status", (row) => {
    const facts = { row, runsHere: false, theirs: true };
    expect(judgeAbort({ ...facts, ageMs: 60 * MIN, source: "mine" }).kind).toBe("pending");
    expect(judgeFinalize(facts).kind).toBe("pending");
    expect(judgeRetry(facts, { source: "mine", covers: false }).kind).toBe("pending");
  });
});

describe("a salvage", () => {
  const held = { s3_upload_id: "u" };
  const gone = { ...FAILED, ...held, source_state: "missing" };
  const there = { ...FAILED, ...held, source_state: "present" };
  const begun: Row & { completed_by: string } = {
    status: "s3_completed",
    kind: "s3_completed",
    completed_by: "salvage",
  };
  const own = { own: true, sourceAlive: true, reaches: true, rebuilding: false };
  const away = { ...own, own: false, sourceAlive: false };
  it.each<
    [
      what: string,
      row: Parameters<typeof judgeSalvage>[0]["row"],
      over: Partial<typeof own>,
      kind: Decision["kind"],
    ]
  >([
    ["of a stream whose file is gone is done by its own source's worker", gone, own, "act"],
    ["of a stream whose file is there is refused", there, own, "refused"],
    ["of a stream whose source has no worker is done by any", there, away, "act"],
    [
      "of a live stream is refused while a worker of its source is alive",
      { ...LIVE, ...held },
      own,
      "refused",
    ],
    [
      "of a live stream is refused by any worker while its source has one",
      { ...LIVE, ...held },
      { ...away, sourceAlive: true },
      "refused",
    ],
    ["of a live stream whose host is gone is done by any", { ...LIVE, ...held }, away, "act"],
    [
      "of a failed stream of a source that has a worker is that one's",
      gone,
      { ...away, sourceAlive: true },
      "pending",
    ],
    ["waits while Redis is rebuilt", gone, { ...own, rebuilding: true }, "pending"],
    ["is left to a worker that was given the bucket", gone, { ...own, reaches: false }, "pending"],
    ["of a stream without an upload is refused", FAILED, own, "refused"],
    ["of a completed stream is refused", COMPLETED, own, "refused"],
    ["that is done is done", { ...COMPLETED, completed_by: "salvage" }, own, "done"],
    ["whose worker died before the end is finished by any", begun, { ...away, sourceAlive: true }, "act"],
    ["of a stored stream is refused", { ...begun, completed_by: "idle" }, own, "refused"],
    ["of no stream is refused", undefined, own, "refused"],
  ])("%s", (_, row, over, kind) => {
    expect(judgeSalvage({ ...own, ...over, row }).kind).toBe(kind);
  });
});
