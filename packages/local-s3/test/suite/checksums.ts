/** A declared checksum is checked before anything is stored, kept, and returned on demand. */
import { expect, test } from "vitest";
import { crc32Base64, sha256Base64 } from "../bodies.ts";
import type { SuiteContext } from "../s3-suite.ts";

const BODY = "123456789";
/** The check values of the algorithms' definitions, base64. */
const RIGHT: readonly [string, string][] = [
  ["crc32", crc32Base64(BODY)],
  ["crc32c", Buffer.from("e3069283", "hex").toString("base64")],
  ["crc64nvme", Buffer.from("ae8b14860a799888", "hex").toString("base64")],
  ["sha256", sha256Base64(BODY)],
];

export function checksumCases(suite: SuiteContext): void {
  test.each(RIGHT)("a right %s is taken and given back", async (algorithm, value) => {
    const key = suite.key();
    const name = `x-amz-checksum-${algorithm}`;
    const stored = await suite.s3.call({ method: "PUT", key, body: BODY, headers: { [name]: value } });
    expect([stored.status, stored.headers[name]]).toEqual([200, value]);
    const silent = await suite.s3.call({ method: "HEAD", key });
    expect(silent.headers[name]).toBeUndefined();
    const asked = await suite.s3.call({ method: "HEAD", key, headers: { "x-amz-checksum-mode": "ENABLED" } });
    expect([asked.headers[name], asked.headers["x-amz-checksum-type"]]).toEqual([value, "FULL_OBJECT"]);
  });

  test.each(RIGHT)("a wrong %s is a BadDigest and nothing is stored", async (algorithm, value) => {
    const key = suite.key();
    const headers = { [`x-amz-checksum-${algorithm}`]: value };
    const answer = await suite.s3.call({ method: "PUT", key, body: "987654321", headers });
    expect([answer.status, answer.code]).toEqual([400, "BadDigest"]);
    expect((await suite.s3.call({ method: "HEAD", key })).status).toBe(404);
  });

  test.each([
    ["a value that is none", { "x-amz-checksum-crc32": "!!" }],
    [
      "two at once",
      { "x-amz-checksum-crc32": crc32Base64(BODY), "x-amz-checksum-sha256": sha256Base64(BODY) },
    ],
  ])("%s is an invalid request", async (_what, headers) => {
    const answer = await suite.s3.call({ method: "PUT", key: suite.key(), body: BODY, headers });
    expect([answer.status, answer.code]).toEqual([400, "InvalidRequest"]);
  });

  const trailed = (value: string, size = BODY.length) => ({
    method: "PUT",
    body: `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\nx-amz-checksum-crc32:${value}\r\n\r\n`,
    headers: {
      "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      "content-encoding": "aws-chunked",
      "x-amz-decoded-content-length": String(size),
      "x-amz-trailer": "x-amz-checksum-crc32",
    },
  });

  test("an aws-chunked body is decoded and its trailing checksum checked", async () => {
    const key = suite.key();
    expect((await suite.s3.call({ key, ...trailed(crc32Base64(BODY)) })).status).toBe(200);
    const answer = await suite.s3.call({ method: "GET", key });
    expect([answer.text, answer.headers["content-encoding"]]).toEqual([BODY, undefined]);
    const wrong = await suite.s3.call({ key, ...trailed(crc32Base64("other")) });
    expect([wrong.status, wrong.code]).toEqual([400, "BadDigest"]);
  });

  test("an aws-chunked body of another length than declared is incomplete", async () => {
    const answer = await suite.s3.call({ key: suite.key(), ...trailed(crc32Base64(BODY), BODY.length + 1) });
    expect([answer.status, answer.code]).toEqual([400, "IncompleteBody"]);
  });

  test("a body without any length is refused", async () => {
    const answer = await suite.s3.call({
      method: "PUT",
      key: suite.key(),
      body: BODY,
      headers: { "transfer-encoding": "chunked" },
    });
    expect([answer.status, answer.code]).toEqual([411, "MissingContentLength"]);
  });
}
