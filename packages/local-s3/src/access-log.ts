/** One entry for every request, written when its reply has left or failed to; tests count on it as the truth about traffic. */
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import type { Operation } from "./http/operation.ts";

export interface AccessEntry {
  readonly requestId: string;
  /** null: the request is none that S3 or this endpoint knows. */
  readonly operation: Operation | null;
  readonly method: string;
  readonly bucket: string | null;
  readonly key: string | null;
  readonly uploadId: string | null;
  readonly partNumber: number | null;
  /** Body bytes read in order to act on them, framing included; what was swallowed after a refusal is not counted. */
  readonly bytesIn: number;
  /** Body bytes handed to the socket. */
  readonly bytesOut: number;
  /** Of the reply, also when it was lost; null when there never was one. */
  readonly status: number | null;
  /** S3's code when it was refused. */
  readonly errorCode: string | null;
  /** The whole reply was handed to the network. */
  readonly delivered: boolean;
  /** Kinds of the faults that acted. */
  readonly faults: readonly string[];
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly finishedAt: number;
}

export interface AccessLog extends AsyncDisposable {
  write(entry: AccessEntry): void;
}

/** Appends NDJSON to a file. A log that cannot be written is an error of the process: `onError` is called once. */
export function openAccessLog(path: string, onError: (error: Error) => void): AccessLog {
  const stream = createWriteStream(path, { flags: "a" });
  stream.once("error", onError);
  return {
    write(entry) {
      stream.write(`${JSON.stringify(entry)}\n`);
    },
    async [Symbol.asyncDispose]() {
      stream.end();
      await finished(stream);
    },
  };
}
