/** Small XML bodies are read whole, up to a named limit, and their declared digests are checked like any other body's. */
import { declaredBody } from "../body/declared.ts";
import { receiveXml } from "../body/receive.ts";
import { S3Error } from "../errors.ts";
import { header, type S3Request } from "../http/exchange.ts";

/** "digest": S3 wants Content-MD5 or a checksum with this body. "optional": the body may be missing, length header and all. */
export async function readXml(
  { headers, auth, body }: S3Request,
  rule: "plain" | "digest" | "optional",
): Promise<string> {
  if (
    rule === "optional" &&
    header(headers, "content-length") === undefined &&
    header(headers, "transfer-encoding") === undefined
  )
    return "";
  const declared = declaredBody(headers, auth);
  const hasDigest =
    declared.md5 !== undefined ||
    declared.trailer !== undefined ||
    Object.keys(declared.checksums).length > 0;
  if (rule === "digest" && !hasDigest) {
    throw new S3Error(
      "InvalidRequest",
      "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
    );
  }
  return receiveXml(body.open(declared.chunked), declared);
}
