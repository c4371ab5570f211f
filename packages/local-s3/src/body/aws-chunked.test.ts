import { expect, test } from "vitest";
import type { Authenticated } from "../auth/authenticate.ts";
import { sha256Hex, sign, signingKey } from "../auth/canonical.ts";
import { decodeAwsChunked } from "./aws-chunked.ts";

// The example of "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks" in AWS's documentation.
const SCOPE = { date: "20130524", region: "us-east-1", service: "s3" };
const AUTH: Authenticated = {
  payloadHash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  signature: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
  timestamp: "20130524T000000Z",
  scope: SCOPE,
  key: signingKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", SCOPE),
};
const SIGNATURES = [
  "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
  "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
  "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
];
const [FIRST, SECOND, LAST] = ["a".repeat(65_536), "a".repeat(1_024), ""];
const chunk = (body: string, signature: string | undefined): string =>
  `${body.length.toString(16)}${signature === undefined ? "" : `;chunk-signature=${signature}`}\r\n${body}${body === "" ? "" : "\r\n"}`;
const EXAMPLE = `${[FIRST, SECOND, LAST].map((body, index) => chunk(body, SIGNATURES[index])).join("")}\r\n`;

/** The wire in pieces of `size` bytes. */
async function* inPieces(wire: string, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < wire.length; at += size) yield Buffer.from(wire.slice(at, at + size), "latin1");
}

async function decode(
  wire: string,
  signedBy: Authenticated | undefined,
  size = 1_000,
): Promise<{ body: string; trailers: object }> {
  const payload = decodeAwsChunked(inPieces(wire, size), { signedBy });
  let body = "";
  let step = await payload.next();
  for (; step.done !== true; step = await payload.next()) body += step.value.toString("latin1");
  return { body, trailers: Object.fromEntries(step.value) };
}

test("AWS's own example of signed chunks is accepted", async () => {
  expect((await decode(EXAMPLE, AUTH)).body).toBe(FIRST + SECOND);
});

test("a byte changed in a signed chunk is noticed", async () => {
  await expect(decode(EXAMPLE.replace("aaa", "aba"), AUTH)).rejects.toMatchObject({
    code: "SignatureDoesNotMatch",
  });
});

test("signed chunks cannot change places, go missing or lose their signature", async () => {
  const swapped = `${chunk(SECOND, SIGNATURES[1])}${chunk(FIRST, SIGNATURES[0])}${chunk(LAST, SIGNATURES[2])}\r\n`;
  const shortened = `${chunk(FIRST, SIGNATURES[0])}${chunk(LAST, SIGNATURES[2])}\r\n`;
  const bare = `${chunk(FIRST, undefined)}${chunk(LAST, undefined)}\r\n`;
  for (const wire of [swapped, shortened, bare]) {
    await expect(decode(wire, AUTH)).rejects.toMatchObject({ code: "SignatureDoesNotMatch" });
  }
});

test("a signed trailer is checked against the chain of signatures", async () => {
  const key = AUTH.key;
  const link = (algorithm: string, previous: string, hashes: string): string =>
    sign(key, [algorithm, AUTH.timestamp, "20130524/us-east-1/s3/aws4_request", previous, hashes].join("\n"));
  const last = link("AWS4-HMAC-SHA256-PAYLOAD", AUTH.signature, `${sha256Hex("")}\n${sha256Hex("")}`);
  const good = link("AWS4-HMAC-SHA256-TRAILER", last, sha256Hex("x-amz-checksum-crc32:AAAAAA==\n"));
  const wire = (signature: string): string =>
    `0;chunk-signature=${last}\r\nx-amz-checksum-crc32:AAAAAA==\r\nx-amz-trailer-signature:${signature}\r\n\r\n`;
  expect((await decode(wire(good), AUTH)).trailers).toEqual({ "x-amz-checksum-crc32": "AAAAAA==" });
  await expect(decode(wire("0".repeat(64)), AUTH)).rejects.toMatchObject({ code: "SignatureDoesNotMatch" });
});

test.each([1, 2, 3, 7, 64])("framing may be cut anywhere: pieces of %i bytes", async (size) => {
  const wire = "5\r\nhello\r\n6\r\n world\r\n0\r\nX-Amz-Checksum-CRC32: abc\r\n\r\n";
  expect(await decode(wire, undefined, size)).toEqual({
    body: "hello world",
    trailers: { "x-amz-checksum-crc32": "abc" },
  });
});

test.each([
  ["ends within a chunk", "5\r\nhel"],
  ["ends before the last chunk", "5\r\nhello\r\n"],
  ["has a size that is none", "x\r\nhello\r\n0\r\n\r\n"],
  ["has a chunk longer than it said", "4\r\nhello\r\n0\r\n\r\n"],
  ["goes on after its end", "0\r\n\r\nmore"],
  ["has an endless line", "0".repeat(10_000)],
])("a body that %s is refused", async (_what, wire) => {
  await expect(decode(wire, undefined)).rejects.toMatchObject({ code: "IncompleteBody" });
});
