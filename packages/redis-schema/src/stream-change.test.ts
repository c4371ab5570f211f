import { FAILURE_REASONS, INDEX_OF, KINDS, MOVES, type StreamWrite } from "@sluice/core";
import { newStream } from "@sluice/core/testing";
import { describe, expect, test } from "vitest";
import { changeArgs, indexPlace, statusesOf, statusPlaces } from "./stream-change.ts";

const record = newStream();
const token = (of: typeof record, write: StreamWrite, worker = "w1", now = 5) =>
  changeArgs(of, write, worker, now)[3];

describe("the token of a write", () => {
  const write: StreamWrite = { from: ["opening"], patch: { bytes_sent: 1 }, log: ["x"] };

  test("is the same for the same write, whenever it is sent", () => {
    expect(token(record, { ...write }, "w1", 99)).toBe(token(record, write));
  });

  test.each([
    ["patch", record, { ...write, patch: { bytes_sent: 2 } }, "w1"],
    ["parts", record, { ...write, parts: [] }, "w1"],
    ["revision", { ...record, revision: 1 }, write, "w1"],
    ["fence", { ...record, fence: 2 }, write, "w1"],
    ["worker", record, write, "w2"],
  ])("differs with its %s", (_, of, other, worker) => {
    expect(token(of, other, worker)).not.toBe(token(record, write));
  });
});

describe("the states a script allows", () => {
  test("are spelt out from core's table; failed stands for every reason", () => {
    expect(statusesOf(["opening", "processing"])).toEqual(["opening", "processing"]);
    expect(statusesOf(["failed"])).toEqual(FAILURE_REASONS.map((reason) => `failed_${reason}`));
  });

  test("include a reason that only an earlier phase gave, as it was read", () => {
    expect(statusesOf(["failed"], "failed_unknown")).toContain("failed_unknown");
    expect(statusesOf(["opening"], "failed_unknown")).toEqual(["opening"]);
  });

  test("each have one index, and every state is placed", () => {
    const flat = statusPlaces();
    const places = new Map<unknown, unknown>();
    for (let at = 0; at < flat.length; at += 2) places.set(flat[at], flat[at + 1]);
    const expected = KINDS.flatMap((kind) =>
      statusesOf([kind]).map((text) => [text, indexPlace(INDEX_OF[kind])] as const),
    );
    expect(places).toEqual(new Map(expected));
    expect(new Set(Object.keys(MOVES))).toEqual(new Set(KINDS));
  });
});
