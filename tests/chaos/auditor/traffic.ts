/**
 * What went over the wire, judged: no byte of an acknowledged part is sent again unless the sender asked the store first
 * and could not have known.
 */

/** One request at the proxy; times in ms of one clock. */
export interface Request {
  operation: string;
  key: string;
  uploadId: string | undefined;
  part: number | undefined;
  startedAt: number;
  answeredAt: number | undefined;
  status: number | undefined;
  bytes: number;
  bodyCrc32: number;
}

export interface TrafficSeen {
  acknowledgedParts: number;
  acknowledgedBytes: number;
  /** Bytes of parts that came again and were rightly sent: changed, grown, or unknown to the store when asked. */
  excusedAgainBytes: number;
  problems: string[];
}

export function judgeTraffic(requests: readonly Request[]): TrafficSeen {
  const uploaded = requests
    .filter((one) => one.operation === "UploadPart" && one.status === 200)
    .toSorted((a, b) => a.startedAt - b.startedAt);
  const listings = requests.filter((one) => one.operation === "ListParts" && one.status === 200);
  const seen: TrafficSeen = {
    acknowledgedParts: uploaded.length,
    acknowledgedBytes: uploaded.reduce((sum, one) => sum + one.bytes, 0),
    excusedAgainBytes: 0,
    problems: [],
  };
  const earlier = new Map<string, Request[]>();
  for (const one of uploaded) {
    const of = `${one.uploadId} ${one.part}`;
    const before = earlier.get(of) ?? [];
    earlier.set(of, [...before, one]);
    const same = before.filter((first) => first.bodyCrc32 === one.bodyCrc32 && first.bytes === one.bytes);
    const known = same.find((first) => couldKnow(first, one, listings));
    if (known) seen.problems.push(`part ${one.part} of ${one.key} acknowledged twice with the same body`);
    else if (before.length > 0) seen.excusedAgainBytes += one.bytes;
  }
  return seen;
}

/** The first was acknowledged before the ListParts that preceded the second, or nobody asked. */
function couldKnow(first: Request, second: Request, listings: readonly Request[]): boolean {
  const asked = listings.findLast(
    (one) => one.uploadId === second.uploadId && (one.answeredAt ?? Infinity) <= second.startedAt,
  );
  return asked === undefined || (first.answeredAt ?? Infinity) <= asked.startedAt;
}

/** Times an object was made at this key. */
export function objectsMade(requests: readonly Request[], key: string): number {
  return requests.filter(
    (one) =>
      one.key === key &&
      one.status === 200 &&
      (one.operation === "CompleteMultipartUpload" || one.operation === "PutObject"),
  ).length;
}
