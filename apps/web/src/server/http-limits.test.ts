import { describe, expect, test } from "vitest";
import { admit, HTTP_LIMITS, type Arrival } from "./http-limits.ts";

const IDENTITY = ["x-user", "x-groups"];
const post: Arrival = {
  method: "POST",
  url: "/api/trpc/session.login",
  contentLength: "20",
  transferEncoding: undefined,
  headerNames: ["host", "content-length", "x-user", "x-groups"],
  openRequests: 0,
};

describe("a request", () => {
  test.each<[string, Partial<Arrival>]>([
    ["with a small body", {}],
    ["with the largest body", { contentLength: String(HTTP_LIMITS.bodyBytes) }],
    ["with no body, and saying so", { contentLength: "0" }],
    ["that reads", { method: "GET", contentLength: undefined, url: "/streams/a%20b?q=%zz" }],
    ["among many of its address", { openRequests: HTTP_LIMITS.openRequestsOfAddress - 1 }],
    ["with another header twice", { headerNames: ["accept", "accept", "x-user"] }],
  ])("is let in: %s", (_, change) => {
    expect(admit({ ...post, ...change }, IDENTITY)).toEqual({ ok: true });
  });

  test.each<[string, number, Partial<Arrival>]>([
    ["a body past the limit", 413, { contentLength: String(HTTP_LIMITS.bodyBytes + 1) }],
    ["a body of no length that is known", 411, { contentLength: undefined, transferEncoding: "chunked" }],
    [
      "the same where a body has no place",
      411,
      { method: "GET", contentLength: undefined, transferEncoding: "chunked" },
    ],
    ["a write that names no length", 411, { contentLength: undefined }],
    ["an unknown method that names no length", 411, { method: "PATCH", contentLength: undefined }],
    ["one too many of its address", 429, { openRequests: HTTP_LIMITS.openRequestsOfAddress }],
    ["groups named twice", 400, { headerNames: ["x-user", "x-groups", "x-groups"] }],
    ["a user named twice", 400, { headerNames: ["x-user", "x-user"] }],
    [
      "an address that cannot be decoded",
      404,
      { method: "GET", contentLength: undefined, url: "/streams/%zz" },
    ],
    [
      "an address of half a character",
      404,
      { method: "GET", contentLength: undefined, url: "/streams/%e2%82" },
    ],
  ])("is refused: %s (%i)", (_, status, change) => {
    expect(admit({ ...post, ...change }, IDENTITY)).toMatchObject({ ok: false, status });
  });
});
