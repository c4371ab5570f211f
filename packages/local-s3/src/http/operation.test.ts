import { expect, test } from "vitest";
import { operationOf } from "./operation.ts";
import { parseTarget } from "./target.ts";

const operation = (method: string, url: string): string => operationOf({ method, ...parseTarget(url) });

test.each([
  ["GET", "/", "ListBuckets"],
  ["GET", "/b", "ListObjects"],
  ["GET", "/b/?list-type=2&prefix=acl", "ListObjectsV2"],
  ["PUT", "/b/k?x-id=PutObject", "PutObject"],
  ["PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart"],
  ["GET", "/b/k?partNumber=1", "GetObject"],
  ["GET", "/b/k?uploadId=u", "ListParts"],
  ["POST", "/b/k?uploads", "CreateMultipartUpload"],
  ["POST", "/b?delete", "DeleteObjects"],
])("%s %s is %s", (method, url, name) => {
  expect(operation(method, url)).toBe(name);
});

test("what x-amz-copy-source makes a copy has its own name", () => {
  const copying = (url: string): string => operationOf({ method: "PUT", copies: true, ...parseTarget(url) });
  expect(copying("/b/k")).toBe("CopyObject");
  expect(copying("/b/k?partNumber=1&uploadId=u")).toBe("UploadPartCopy");
});

test.each([
  ["GET", "/b?acl", "NotImplemented"],
  ["PUT", "/b/k?tagging", "NotImplemented"],
  ["GET", "/b/k?versionId=1", "NotImplemented"],
  ["PATCH", "/b/k", "MethodNotAllowed"],
  ["POST", "/b/k", "MethodNotAllowed"],
])("%s %s is refused with %s rather than taken for something else", (method, url, code) => {
  expect(() => operation(method, url)).toThrow(expect.objectContaining({ code }) as Error);
});

test("a key is decoded once and nothing in it is a path", () => {
  expect(parseTarget("/b/..%2F/./a%2520+b//c?prefix=a+b").key).toBe("..//./a%20+b//c");
  expect(parseTarget("/b//k").key).toBe("/k");
  expect(parseTarget("/b?prefix=a+b%2B").query.get("prefix")).toBe("a b+");
});

test.each(["/b/%zz", "/b/%ff", "b/k"])("%s is an InvalidURI", (url) => {
  expect(() => parseTarget(url)).toThrow(expect.objectContaining({ code: "InvalidURI" }) as Error);
});
