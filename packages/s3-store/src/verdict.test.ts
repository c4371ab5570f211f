/** Every reply to every request the worker makes: the whole table, and the rule each of its rows follows. */
import { describe, expect, it, test } from "vitest";
import type { S3Failure } from "./errors.ts";
import { type Asked, STORE_REQUESTS, type StoreRequest, type Verdict, verdictOf } from "./verdict.ts";

const BODIES = ["xml", "html", "json", "nothing"] as const;
type Body = (typeof BODIES)[number];

/** What S3 itself would call a refusal of this status. */
const CODES: Readonly<Record<number, string>> = {
  304: "NotModified",
  400: "InvalidArgument",
  403: "AccessDenied",
  404: "NoSuchKey",
  409: "ConditionalRequestConflict",
  412: "PreconditionFailed",
  413: "EntityTooLarge",
  500: "InternalError",
  501: "NotImplemented",
};

function failure(status: number, body: Body, more: Partial<S3Failure> = {}): S3Failure {
  return {
    code: body === "xml" ? (CODES[status] ?? "Unknown") : `HTTP${status}`,
    message: "said by whoever answered",
    status,
    sent: true,
    headers: {},
    region: undefined,
    page: body === "html" || body === "json",
    ...more,
  };
}

const UPLOAD_SCOPED: readonly StoreRequest[] = [
  "UploadPart",
  "CompleteMultipartUpload",
  "ListParts",
  "AbortMultipartUpload",
];
const NAMING: readonly StoreRequest[] = ["CreateMultipartUpload", "PutObject", "HeadObject"];

/** The outcome in one word; a question mark: only after another request was answered, else it is the whole store's. */
function word(verdict: Verdict): string {
  return verdict.kind === "answer" ? verdict.answer : `${verdict.trouble}${verdict.asks ? "?" : ""}`;
}

/** The rule, written down a second time and otherwise: by status first. */
function expected(request: StoreRequest, status: number, body: Body): string {
  const page = request !== "HeadObject" && (body === "html" || body === "json");
  const naming = NAMING.includes(request);
  // Whatever this refuses is met again when the bytes are sent instead.
  if (request === "UploadPartCopy" && !page) {
    if (status === 404 || status === 412 || status === 304) return "source_changed";
    if (status !== 500) return "not_copied";
  }
  switch (status) {
    case 403:
      return "denied?";
    case 404:
      if (request === "HeadObject") return "missing";
      if (UPLOAD_SCOPED.includes(request) && !page) return "gone";
      if (naming) return "name?";
      return body === "xml" ? "rejected" : "rejected?";
    case 400:
    case 409:
      if (naming) return "name?";
      return body === "xml" ? "rejected" : "rejected?";
    case 304:
      return "rejected?";
    case 412:
      return body === "xml" ? "rejected" : "rejected?";
    case 413:
      return "rejected";
    case 500:
      return "failing?";
    case 501:
      return body === "xml" ? "rejected" : "rejected?";
    default:
      throw new Error(`no rule for ${status}`);
  }
}

describe("D6c, D6d: a reply without a condition", () => {
  for (const request of STORE_REQUESTS) {
    for (const status of Object.keys(CODES).map(Number)) {
      for (const body of BODIES) {
        test(`${status} with ${body} to ${request} is ${expected(request, status, body)}`, () => {
          expect(word(verdictOf(failure(status, body), { request }))).toBe(expected(request, status, body));
        });
      }
    }
  }
});

describe("D6a, D6e: a reply to a conditional request", () => {
  const requests = ["PutObject", "CompleteMultipartUpload"] as const;
  for (const request of requests) {
    for (const condition of ["if-match", "if-none-match"] as const) {
      for (const status of [301, 302, 304, 307, 409, 412, 501]) {
        for (const body of ["xml", "nothing"] as const) {
          it(`D6e: ${status} with ${body} to ${request} with ${condition} leaves it to HeadObject`, () => {
            expect(word(verdictOf(failure(status, body), { request, condition }))).toBe("conflict");
          });
        }
      }
      it(`D6c: a page in answer to ${request} with ${condition} is nobody's word on the condition`, () => {
        for (const status of [302, 304, 409, 412]) {
          const verdict = verdictOf(failure(status, "html"), { request, condition });
          expect(verdict).toMatchObject({ kind: "trouble", asks: true });
        }
      });
    }
    it(`${request} with If-Match at a key where nothing stands any more is a conflict`, () => {
      expect(word(verdictOf(failure(404, "xml"), { request, condition: "if-match" }))).toBe("conflict");
    });
  }

  it("D6e: a redirect that S3 itself names is about the bucket, once another request fails too", () => {
    const redirect = failure(301, "xml", { code: "PermanentRedirect" });
    const asked: Asked = { request: "PutObject", condition: "if-none-match" };
    expect(verdictOf(redirect, asked)).toMatchObject({ kind: "trouble", asks: true });
  });
});

it("a redirect that names no region is of somebody between: of this request alone while the bucket answers", () => {
  for (const request of STORE_REQUESTS) {
    const verdict = verdictOf(failure(302, "nothing"), { request });
    expect(verdict).toMatchObject({ kind: "trouble", trouble: "rejected", asks: true });
  }
});

describe("what is the whole store's at once, whatever was asked", () => {
  it.each([
    [503, "SlowDown", "throttled"],
    [429, "HTTP429", "throttled"],
    [507, "InsufficientStorage", "unreachable"],
    [503, "XMinioStorageFull", "unreachable"],
    [407, "HTTP407", "unreachable"],
    [400, "ExpiredToken", "credentials"],
    [403, "InvalidAccessKeyId", "credentials"],
    [400, "RequestTimeout", "unreachable"],
    [undefined, "ECONNRESET", "unreachable"],
  ] as const)("%s %s is %s", (status, code, trouble) => {
    for (const request of STORE_REQUESTS) {
      expect(word(verdictOf(failure(status ?? 0, "xml", { status, code }), { request }))).toBe(trouble);
    }
  });
});

describe("D6c: what is the whole store's only when another request fails too", () => {
  it.each([
    [500, "InternalError"],
    [502, "HTTP502"],
    [503, "HTTP503"],
    [504, "GatewayTimeout"],
  ])("D6c: %s %s", (status, code) => {
    for (const request of STORE_REQUESTS) {
      for (const page of [false, true])
        expect(word(verdictOf(failure(status, "xml", { code, page }), { request }))).toBe("failing?");
    }
  });
});

describe("D6d: one odd name", () => {
  it.each([
    [400, "InvalidObjectName"],
    [400, "XMinioInvalidObjectName"],
    [400, "KeyTooLongError"],
    [400, "InvalidURI"],
    [403, "SignatureDoesNotMatch"],
    [404, "NoSuchBucket"],
    [409, "ObjectParentIsFile"],
    [414, "HTTP414"],
  ])("D6d: %s %s may be about the name of a key, where another key works", (status, code) => {
    for (const request of NAMING) {
      if (request === "HeadObject" && status === 404 && code !== "NoSuchBucket") continue;
      expect(word(verdictOf(failure(status, "xml", { code }), { request }))).toBe("name?");
    }
    const aboutPart = word(verdictOf(failure(status, "xml", { code }), { request: "UploadPart" }));
    expect(aboutPart).toMatch(/^rejected/);
  });

  it.each(["EntityTooLarge", "MetadataTooLarge", "InvalidStorageClass", "InvalidTag"])(
    "%s is not",
    (code) => {
      expect(word(verdictOf(failure(400, "xml", { code }), { request: "PutObject" }))).toBe("rejected");
    },
  );

  it("D6d: nor is a conflict that says what conflicts, when it was sent with a condition", () => {
    const refused = failure(409, "xml", { code: "ObjectParentIsFile" });
    expect(word(verdictOf(refused, { request: "PutObject", condition: "if-none-match" }))).toBe("name?");
  });
});

describe("a copy", () => {
  const asked: Asked = { request: "UploadPartCopy" };

  it.each([
    [404, "NoSuchUpload", "gone"],
    [404, "NoSuchKey", "source_changed"],
    [404, "NoSuchBucket", "rejected?"],
    [403, "InvalidObjectState", "not_copied"],
    [400, "InvalidRequest", "not_copied"],
    [416, "InvalidRange", "not_copied"],
    [503, "SlowDown", "throttled"],
  ])("D6d: %s %s is %s", (status, code, meaning) => {
    expect(word(verdictOf(failure(status, "xml", { code }), asked))).toBe(meaning);
  });
});

describe("D6e: a wrong checksum", () => {
  const asked: Asked = { request: "UploadPart", wrongChecksumCodes: ["InvalidRequest", "ChecksumFailed"] };

  it("is known by the code the probe learned", () => {
    expect(word(verdictOf(failure(400, "xml", { code: "ChecksumFailed" }), asked))).toBe("garbled");
  });

  it("by a code that says little only where the message speaks of it", () => {
    const code = "InvalidRequest";
    const said = failure(400, "xml", { code, message: "The crc32 you specified did not match" });
    expect(word(verdictOf(said, asked))).toBe("garbled");
    expect(word(verdictOf(failure(400, "xml", { code }), asked))).toBe("rejected");
    // Create carries no body.
    expect(word(verdictOf(said, { ...asked, request: "CreateMultipartUpload" }))).toBe("name?");
  });
});
