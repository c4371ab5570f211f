import { expect, test } from "vitest";
import { judgeUpload, type UploadFacts } from "./judge-upload.ts";

const nobody: UploadFacts = {
  initiated: "2026-01-02T00:00:00.000Z",
  keyHolderStartedAt: undefined,
  leftByPurge: false,
  redisEmptied: false,
  localFile: undefined,
};
const file = { path: "/in/a", partsEqual: undefined };

test.each([
  { name: "left by a purge: ours", facts: { leftByPurge: true }, verdict: "ours" },
  {
    name: "on a stream's key, begun after it: ours",
    facts: { keyHolderStartedAt: "2026-01-01T00:00:00.000Z" },
    verdict: "ours",
  },
  {
    name: "on a stream's key, begun before it: foreign",
    facts: { keyHolderStartedAt: "2026-01-03T00:00:00.000Z" },
    verdict: "foreign",
  },
  {
    name: "on a stream's key, of unknown age: unknown",
    facts: { keyHolderStartedAt: "2026-01-01T00:00:00.000Z", initiated: undefined },
    verdict: "unknown",
  },
  { name: "on a key nobody knows: foreign", facts: {}, verdict: "foreign" },
  {
    name: "on the key of a local file, with Redis as it was: unknown",
    facts: { localFile: file },
    verdict: "unknown",
  },
  {
    name: "with Redis emptied, parts not compared: unknown",
    facts: { localFile: file, redisEmptied: true },
    verdict: "unknown",
  },
  {
    name: "with Redis emptied, parts that differ: unknown",
    facts: { localFile: { ...file, partsEqual: false }, redisEmptied: true },
    verdict: "unknown",
  },
  {
    name: "with Redis emptied, every part equal to the file: ours",
    facts: { localFile: { ...file, partsEqual: true }, redisEmptied: true },
    verdict: "ours",
  },
  {
    name: "equal parts alone, with Redis as it was: unknown",
    facts: { localFile: { ...file, partsEqual: true } },
    verdict: "unknown",
  },
] as const)("an open upload $name", ({ facts, verdict }) => {
  expect(judgeUpload({ ...nobody, ...facts })).toMatchObject({ verdict });
});
