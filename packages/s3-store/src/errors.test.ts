import { describe, expect, test } from "vitest";
import { failureOf, ReplyError, retryAfterMs, type S3Failure, storeError } from "./errors.ts";
import { TransportError } from "./transport.ts";

const failure = (code: string, status: number | undefined, more: Partial<S3Failure> = {}): S3Failure => ({
  code,
  message: "said by the store",
  status,
  sent: true,
  headers: {},
  region: undefined,
  page: false,
  ...more,
});

describe("a refusal is whose trouble it is", () => {
  const rows: [code: string, status: number | undefined, trouble: string, outcomeUnknown: boolean][] = [
    ["ECONNRESET", undefined, "unreachable", true],
    ["DeadlineExceeded", undefined, "unreachable", true],
    ["InternalError", 500, "unreachable", true],
    ["HTTP502", 502, "unreachable", true],
    ["ServiceUnavailable", 503, "unreachable", true],
    ["RequestTimeout", 400, "unreachable", false],
    ["HTTP408", 408, "unreachable", false],
    ["OperationAborted", 409, "unreachable", false],
    ["InsufficientStorage", 507, "unreachable", false],
    ["QuotaExceeded", 403, "unreachable", false],
    ["SlowDown", 503, "throttled", false],
    ["HTTP429", 429, "throttled", false],
    ["ExpiredToken", 400, "credentials", false],
    ["InvalidAccessKeyId", 403, "credentials", false],
    ["SignatureDoesNotMatch", 403, "credentials", false],
    ["HTTP401", 401, "credentials", false],
    ["NoSuchBucket", 404, "bucket", false],
    ["PermanentRedirect", 301, "bucket", false],
    ["HTTP302", 302, "unreachable", false],
    ["KMS.DisabledException", 400, "bucket", false],
    ["AllAccessDisabled", 403, "bucket", false],
    ["AccessDenied", 403, "denied", false],
    ["BadDigest", 400, "garbled", false],
    ["XAmzContentSHA256Mismatch", 400, "garbled", false],
    ["IncompleteBody", 400, "garbled", false],
    ["EntityTooLarge", 400, "rejected", false],
    ["MetadataTooLarge", 400, "rejected", false],
    ["NotImplemented", 501, "rejected", false],
    ["PreconditionFailed", 412, "rejected", false],
  ];
  for (const [code, status, trouble, outcomeUnknown] of rows) {
    test(`${code} (${status ?? "no reply"}) is ${trouble}${outcomeUnknown ? ", and may have been carried out" : ""}`, () => {
      expect(storeError(failure(code, status), "PutObject a", true)).toMatchObject({
        trouble,
        code,
        outcomeUnknown,
      });
      expect(storeError(failure(code, status), "HeadObject a", false).outcomeUnknown).toBe(false);
    });
  }

  test("a request that was never sent was not carried out", () => {
    const refused = failureOf(new TransportError("ECONNREFUSED", "refused", false));
    expect(refused && storeError(refused, "PutObject a", true)).toMatchObject({
      trouble: "unreachable",
      outcomeUnknown: false,
    });
  });

  test("a redirect is about the region where one is named, else of somebody between, who is named without the rest", () => {
    const code = "HTTP307";
    expect(storeError(failure(code, 307, { region: "eu-west-3" }), "HeadObject a", false).trouble).toBe(
      "bucket",
    );
    const headers = { location: "https://login.example:8443/in?token=secret" };
    const { trouble, message } = storeError(failure(code, 307, { headers }), "HeadObject a", false);
    expect(trouble).toBe("unreachable");
    expect(message).toContain("redirects to https://login.example:8443:");
    expect(message).not.toContain("secret");
    const odd = { location: "javascript:alert(1)" };
    expect(storeError(failure(code, 307, { headers: odd }), "HeadObject a", false).message).not.toContain(
      "sends us",
    );
  });

  test("a malformed signature is about the region where one is named, else about the credentials", () => {
    const code = "AuthorizationHeaderMalformed";
    const elsewhere = storeError(failure(code, 400, { region: "eu-west-3" }), "PutObject a", true);
    expect(elsewhere).toMatchObject({
      trouble: "bucket",
      message: expect.stringContaining("set SLUICE_S3_REGION"),
    });
    expect(storeError(failure(code, 400), "PutObject a", true).trouble).toBe("credentials");
  });

  test("errors that are not the store's stay what they are", () => {
    expect(failureOf(new TypeError("a bug"))).toBeUndefined();
    expect(failureOf("a string")).toBeUndefined();
  });
});

describe("a reply without the SDK", () => {
  test("is read from S3's error document", () => {
    const xml =
      "<?xml version='1.0'?><Error><Code>Slow&amp;Down</Code><Message>a &lt;b&gt;</Message><Region>x-1</Region></Error>";
    const error = new ReplyError(503, {}, Buffer.from(xml));
    expect(failureOf(error)).toMatchObject({
      code: "Slow&Down",
      message: "a <b>",
      region: "x-1",
      status: 503,
    });
  });

  test("without a document is named by its status", () => {
    expect(failureOf(new ReplyError(502, {}, new Uint8Array(0)))).toMatchObject({
      code: "HTTP502",
      status: 502,
    });
  });

  test("that is a page of HTML is not the store's word", () => {
    const html = { "content-type": "text/html; charset=utf-8" };
    const error = failureOf(new ReplyError(404, html, Buffer.from("<html></html>")));
    expect(error && storeError(error, "UploadPart 1 a", true)).toMatchObject({
      trouble: "unreachable",
      outcomeUnknown: true,
    });
  });
});

describe("Retry-After", () => {
  const now = Date.parse("2026-11-24T00:00:00Z");
  const rows: [value: string, ms: number | undefined][] = [
    ["30", 30_000],
    ["0", 0],
    ["1.5", 1_500],
    ["Tue, 24 Nov 2026 00:02:00 GMT", 120_000],
    ["Mon, 23 Nov 2026 00:00:00 GMT", 0],
    ["soon", undefined],
    ["", undefined],
  ];
  for (const [value, ms] of rows) {
    test(`"${value}" is ${ms === undefined ? "nothing" : `${ms} ms`}`, () => {
      expect(retryAfterMs({ "retry-after": value }, now)).toBe(ms);
    });
  }
});
