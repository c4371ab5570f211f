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
  {
    name: "left by a purge: ours",
    facts: { leftByPurge: true },
    verdict: "ours",
    because: "left by a purge",
  },
  {
    name: "on a stream's key, begun after it: ours",
    facts: { keyHolderStartedAt: "2026-01-01T00:00:00.000Z" },
    verdict: "ours",
    because: "began after that stream",
  },
  {
    name: "on a stream's key, begun at its instant: ours",
    facts: { keyHolderStartedAt: nobody.initiated },
    verdict: "ours",
    because: "began after that stream",
  },
  {
    name: "on a stream's key, begun before it: foreign",
    facts: { keyHolderStartedAt: "2026-01-03T00:00:00.000Z" },
    verdict: "foreign",
    because: "began before that stream",
  },
  {
    name: "on a stream's key, of unknown age: unknown",
    facts: { keyHolderStartedAt: "2026-01-01T00:00:00.000Z", initiated: undefined },
    verdict: "unknown",
    because: "does not say when it began",
  },
  { name: "on a key nobody knows: foreign", facts: {}, verdict: "foreign", because: "no stream has its key" },
  {
    name: "on the key of a local file, with Redis as it was: unknown",
    facts: { localFile: file },
    verdict: "unknown",
    because: "no stream knows it",
  },
  {
    name: "with Redis emptied, parts not compared: unknown",
    facts: { localFile: file, redisEmptied: true },
    verdict: "unknown",
    because: "no stream knows it",
  },
  {
    name: "with Redis emptied, parts that differ: unknown",
    facts: { localFile: { ...file, partsEqual: false }, redisEmptied: true },
    verdict: "unknown",
    because: "no stream knows it",
  },
  {
    name: "with Redis emptied, every part equal to the file: ours",
    facts: { localFile: { ...file, partsEqual: true }, redisEmptied: true },
    verdict: "ours",
    because: "every part of it equals the local file",
  },
  {
    name: "equal parts alone, with Redis as it was: unknown",
    facts: { localFile: { ...file, partsEqual: true } },
    verdict: "unknown",
    because: "no stream knows it",
  },
] as const)("an open upload $name", ({ facts, verdict, because }) => {
  expect(judgeUpload({ ...nobody, ...facts })).toEqual({
    verdict,
    because: expect.stringContaining(because),
  });
});
