/** Nothing is done for a request whose signature, date or signer is wrong. */
import { expect, test } from "vitest";
import type { SuiteContext } from "../s3-suite.ts";

const basicDate = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+|[-:]/g, "");

export function authenticationCases(suite: SuiteContext): void {
  test("a request without a signature is denied", async () => {
    const answer = await suite.s3.call({ method: "GET", query: { "list-type": "2" }, auth: "none" });
    expect([answer.status, answer.code]).toEqual([403, "AccessDenied"]);
  });

  test("an unknown access key is named as such", async () => {
    const answer = await suite.s3.call({ method: "GET", as: { accessKeyId: "AKIAIOSFODNN7EXAMPLE" } });
    expect([answer.status, answer.code]).toEqual([403, "InvalidAccessKeyId"]);
  });

  test("a wrong secret does not match", async () => {
    const answer = await suite.s3.call({ method: "GET", as: { secretAccessKey: "wrong" } });
    expect([answer.status, answer.code]).toEqual([403, "SignatureDoesNotMatch"]);
  });

  test("a header changed after signing does not match", async () => {
    const answer = await suite.s3.call({
      method: "PUT",
      key: suite.key(),
      body: "x",
      headers: { "x-amz-meta-owner": "alice" },
      tamper: ({ headers }) => {
        headers["x-amz-meta-owner"] = "mallory";
      },
    });
    expect([answer.status, answer.code]).toEqual([403, "SignatureDoesNotMatch"]);
  });

  test("an x-amz header added after signing is refused", async () => {
    const answer = await suite.s3.call({
      method: "PUT",
      key: suite.key(),
      body: "x",
      tamper: ({ headers }) => {
        headers["x-amz-meta-added"] = "later";
      },
    });
    expect([answer.status, answer.code]).toEqual([403, "AccessDenied"]);
  });

  test("a key changed after signing does not match", async () => {
    const key = suite.key();
    const answer = await suite.s3.call({
      method: "PUT",
      key,
      body: "x",
      tamper: (request) => {
        request.path += "x";
      },
    });
    expect([answer.status, answer.code]).toEqual([403, "SignatureDoesNotMatch"]);
  });

  test.each([-16, 16])("a clock that is %i minutes off is too skewed", async (minutes) => {
    const headers = { "x-amz-date": basicDate(Date.now() + minutes * 60_000) };
    const answer = await suite.s3.call({ method: "GET", headers });
    expect([answer.status, answer.code]).toEqual([403, "RequestTimeTooSkewed"]);
  });

  test("a clock that is 14 minutes off is accepted", async () => {
    const headers = { "x-amz-date": basicDate(Date.now() - 14 * 60_000) };
    expect((await suite.s3.call({ method: "GET", headers })).status).toBe(200);
  });

  test("the body must be the one whose hash was signed, and a wrong one leaves no object", async () => {
    const key = suite.key();
    const headers = { "x-amz-content-sha256": "0".repeat(64) };
    const answer = await suite.s3.call({ method: "PUT", key, body: "not what was signed", headers });
    expect([answer.status, answer.code]).toEqual([400, "XAmzContentSHA256Mismatch"]);
    expect((await suite.s3.call({ method: "HEAD", key })).status).toBe(404);
  });

  test("a presigned URL gives the object without headers, and only that object", async () => {
    const key = suite.key("presigned + ü.txt");
    await suite.s3.call({ method: "PUT", key, body: "by link" });
    const answer = await suite.s3.call({
      method: "GET",
      key,
      query: { "X-Amz-Expires": "60" },
      auth: "query",
    });
    expect([answer.status, answer.text]).toEqual([200, "by link"]);
    const forged = await suite.s3.call({
      method: "GET",
      key,
      auth: "query",
      query: { "X-Amz-Expires": "60" },
      tamper: (request) => {
        request.path = request.path.replace("X-Amz-Expires=60", "X-Amz-Expires=600");
      },
    });
    expect([forged.status, forged.code]).toEqual([403, "SignatureDoesNotMatch"]);
  });

  test("a presigned URL ends with its expiry", async () => {
    const key = suite.key();
    const query = { "X-Amz-Expires": "60", "X-Amz-Date": basicDate(Date.now() - 120_000) };
    const answer = await suite.s3.call({ method: "GET", key, query, auth: "query" });
    expect([answer.status, answer.code]).toEqual([403, "AccessDenied"]);
  });

  test("every reply carries a request id, refusals too", async () => {
    const good = await suite.s3.call({ method: "GET", query: { "list-type": "2", "max-keys": "1" } });
    const bad = await suite.s3.call({ method: "GET", auth: "none" });
    expect(good.headers["x-amz-request-id"]).toMatch(/\S/);
    expect(bad.headers["x-amz-request-id"]).toMatch(/\S/);
    expect(good.headers["x-amz-request-id"]).not.toBe(bad.headers["x-amz-request-id"]);
  });
}
