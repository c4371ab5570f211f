import { TRPCError } from "@trpc/server";
import { expect, test } from "vitest";
import nextConfig from "../../next.config.ts";
import { router } from "./trpc.ts";

test("X9: an error tells its code and its words, never a stack or what was called", () => {
  const { errorFormatter } = router({})._def._config;
  const error = new TRPCError({ code: "NOT_FOUND", message: "no such stream" });
  const data = { code: error.code, httpStatus: 404, path: "streams.detail", stack: error.stack ?? "" };
  const shape = { code: -32_004 as const, message: error.message, data };
  const told = errorFormatter({ shape, error, type: "query", path: data.path, input: {}, ctx: undefined });
  expect(told).toEqual({ ...shape, data: { code: "NOT_FOUND", httpStatus: 404, why: undefined } });
});

test("X10: no address in a request makes the dashboard fetch an image", () => {
  expect(nextConfig.images?.unoptimized).toBe(true);
  expect(nextConfig.rewrites).toBeUndefined();
});
