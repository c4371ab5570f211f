import { describe, expect, it } from "vitest";
import {
  judgeAbort,
  judgeFinalize,
  judgeRetry,
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
      detail: expect.stringMatching(/no worker of source a is running.*sluice adopt --from a.*ask again/),
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
