/** Every refusal is one S3Error: S3's code, its HTTP status and a message; nothing else is sent to a client as an error. */
export const ERROR_STATUS = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
  BadDigest: 400,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  ConditionalRequestConflict: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  ExpiredToken: 400,
  IllegalLocationConstraintException: 400,
  IncompleteBody: 400,
  InsufficientStorage: 507,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidStorageClass: 400,
  InvalidTag: 400,
  InvalidToken: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedXML: 400,
  MetadataTooLarge: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchLifecycleConfiguration: 404,
  NoSuchUpload: 404,
  NotImplemented: 501,
  NotModified: 304,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  RequestTimeout: 400,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
  XAmzContentSHA256Mismatch: 400,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

export interface S3ErrorDetail {
  /** Extra elements of the error document, e.g. `{ Region: "us-east-1" }`. */
  fields?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  cause?: unknown;
}

export class S3Error extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, detail: S3ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = "S3Error";
    this.code = code;
    this.status = ERROR_STATUS[code];
    this.fields = detail.fields ?? {};
    this.headers = detail.headers ?? {};
  }
}

export const noSuchBucket = (bucket: string): S3Error =>
  new S3Error("NoSuchBucket", "The specified bucket does not exist", { fields: { BucketName: bucket } });

export const noSuchKey = (key: string): S3Error =>
  new S3Error("NoSuchKey", "The specified key does not exist.", { fields: { Key: key } });

export const noSuchUpload = (uploadId: string): S3Error =>
  new S3Error(
    "NoSuchUpload",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    { fields: { UploadId: uploadId } },
  );

const SQLITE_FULL = 13;

/** What a failure of the disk or of our own code becomes for the client. */
export function asS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  if (diskFull(error)) {
    return new S3Error("InsufficientStorage", "The disk that holds this store is full.", { cause: error });
  }
  return new S3Error("InternalError", "We encountered an internal error. Please try again.", {
    cause: error,
  });
}

function diskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ("code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT")) return true;
  return "errcode" in error && error.errcode === SQLITE_FULL;
}
