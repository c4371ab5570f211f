/** Every number this endpoint enforces, with its unit. Those of S3 are S3's own, the rest bound memory and time. */
const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

export const LIMITS = {
  /** Smallest part that is not the last one, bytes. */
  minPartBytes: 5 * MIB,
  /** Largest part and largest single PutObject, bytes. */
  maxPartBytes: 5 * GIB,
  maxPartNumber: 10_000,
  /** Largest object: 10,000 parts of 5 GiB, bytes. */
  maxObjectBytes: 10_000 * 5 * GIB,
  /** Entries in one page of any listing. */
  maxPage: 1_000,
  maxDeletePerRequest: 1_000,
  maxKeyBytes: 1_024,
  /** Names and values of x-amz-meta-*, bytes. */
  maxMetadataBytes: 2 * KIB,
  /** Largest XML body read into memory: 10,000 listed parts with checksums, bytes. */
  maxXmlBytes: 8 * MIB,
  /** How far a signed date may be from our clock, milliseconds. */
  maxClockSkewMs: 15 * 60 * 1_000,
  /** Longest life of a presigned URL, seconds. */
  maxPresignSeconds: 7 * 24 * 3_600,
  /** Bodies up to this size are kept in the database rather than in a file of their own, bytes. */
  inlineBytes: 64 * KIB,
  /** A body is written to disk in batches of this size; two batches are the memory of one upload, bytes. */
  writeBatchBytes: 1 * MIB,
  /** Buffers in one writev call; the kernel takes 1,024. */
  writeBatchBuffers: 512,
  /** Read size of a download, bytes. */
  readChunkBytes: 512 * KIB,
  /** One line of aws-chunked framing (chunk header or trailer), bytes. */
  maxChunkLineBytes: 4 * KIB,
  /** Largest signed aws-chunked chunk, which is held until its signature is checked, bytes. */
  maxSignedChunkBytes: 16 * MIB,
  /** A body that delivers nothing for this long is given up with RequestTimeout, milliseconds. */
  bodyIdleMs: 60_000,
  /** An idle connection is kept this long, milliseconds. */
  keepAliveMs: 20_000,
  /** After an early refusal this much of the unread body is swallowed so that the client sees the reply, bytes. */
  drainBytes: 16 * MIB,
  /** ... and for at most this long, milliseconds. */
  drainMs: 5_000,
  /** What a stop waits for replies in flight before it cuts them, milliseconds. */
  stopGraceMs: 2_000,
} as const;
