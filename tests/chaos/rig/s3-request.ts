/** What an S3 request asks for, told from its method and address, and whether it copies. Path-style addresses only. */

export type Operation =
  | "AbortMultipartUpload"
  | "CompleteMultipartUpload"
  | "CreateMultipartUpload"
  | "DeleteObject"
  | "GetObject"
  | "HeadObject"
  | "ListMultipartUploads"
  | "ListObjects"
  | "ListParts"
  | "PutObject"
  | "UploadPart"
  | "UploadPartCopy"
  | "other";

export interface S3Request {
  operation: Operation;
  key: string;
  uploadId: string | undefined;
  part: number | undefined;
}

export function readRequest(method: string, url: string, copies: boolean): S3Request {
  const { pathname, searchParams: query } = new URL(url, "http://s3");
  const [, , ...rest] = pathname.split("/");
  const key = rest.map(decodeURIComponent).join("/");
  const uploadId = query.get("uploadId") ?? undefined;
  const part = query.has("partNumber") ? Number(query.get("partNumber")) : undefined;
  const subject = uploadId !== undefined ? "upload" : key === "" ? "bucket" : "object";
  const operation = operationOf(method, subject, query);
  const named = operation === "UploadPart" && copies ? "UploadPartCopy" : operation;
  return { operation: named, key, uploadId, part };
}

function operationOf(
  method: string,
  subject: "upload" | "bucket" | "object",
  query: URLSearchParams,
): Operation {
  switch (`${method} ${subject}`) {
    case "PUT upload":
      return "UploadPart";
    case "POST upload":
      return "CompleteMultipartUpload";
    case "GET upload":
      return "ListParts";
    case "DELETE upload":
      return "AbortMultipartUpload";
    case "POST object":
      return query.has("uploads") ? "CreateMultipartUpload" : "other";
    case "PUT object":
      return "PutObject";
    case "GET object":
      return "GetObject";
    case "HEAD object":
      return "HeadObject";
    case "DELETE object":
      return "DeleteObject";
    case "GET bucket":
      return query.has("uploads") ? "ListMultipartUploads" : "ListObjects";
    default:
      return "other";
  }
}
