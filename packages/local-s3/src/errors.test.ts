import { expect, test } from "vitest";
import { asS3Error } from "./errors.ts";

test.each([
  ["a full disk", Object.assign(new Error("write"), { code: "ENOSPC" })],
  ["a spent quota", Object.assign(new Error("write"), { code: "EDQUOT" })],
  [
    "a full database",
    Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR", errcode: 13 }),
  ],
])("%s is an InsufficientStorage that says so", (_what, error) => {
  expect(asS3Error(error)).toMatchObject({
    status: 507,
    code: "InsufficientStorage",
    message: expect.stringContaining("full") as string,
  });
});

test("any other failure is an InternalError that tells the client nothing of ours", () => {
  const error = asS3Error(new Error("secret path"));
  expect([error.status, error.code, error.message.includes("secret")]).toEqual([500, "InternalError", false]);
});
