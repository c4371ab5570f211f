/** Everything worth observing, as one interface that logs, metrics and tests implement; the core knows none of them. */
import type { StreamRecord } from "../stream/record.ts";

export const TIDY_FAILURES = [
  /** The system refuses it: permissions, no space, a read-only volume. */
  "refused",
  /** Writers cannot be seen, and the file is complete only because it was idle. */
  "unseen",
  /** Whether its object exists cannot be determined. */
  "unproved",
] as const;
export type TidyFailure = (typeof TIDY_FAILURES)[number];

/** `vanished`: its file is gone. `placeholder`: its empty file only reserves a name. */
export type Removed = "vanished" | "placeholder";

export interface Observer {
  opened(stream: StreamRecord): void;
  moved(stream: StreamRecord, detail: string): void;
  partAcknowledged(
    stream: StreamRecord,
    part: { number: number; bytes: number; ms: number; attempts: number },
  ): void;
  /** The safeguard sent a tail: the oldest of its bytes had been unprotected for `ms`. Also reported as a part. */
  tailSent(stream: StreamRecord, tail: { bytes: number; ms: number }): void;
  /** Copied from an earlier object inside the store: none of its bytes were sent. */
  partCopied(stream: StreamRecord, part: { number: number; bytes: number; ms: number }): void;
  partAdopted(stream: StreamRecord, part: { number: number; bytes: number }): void;
  retried(stream: StreamRecord, what: string, reason: string): void;
  /** The local file should have been deleted or moved, but stays where it is. */
  tidyFailed(stream: StreamRecord, reason: TidyFailure, detail: string): void;
  /** A stream was removed without an alert: S3 never had a byte of it. */
  removed(stream: StreamRecord, why: Removed, detail: string): void;
  /** A path got its nth name, and the names before it within a day. */
  namedAgain(stream: StreamRecord, name: { key: string; number: number }): void;
  decided(stream: StreamRecord, decision: string): void;
  storeTrouble(reason: string): void;
  storeRecovered(): void;
}

export const SILENT: Observer = {
  opened: () => undefined,
  moved: () => undefined,
  partAcknowledged: () => undefined,
  tailSent: () => undefined,
  partCopied: () => undefined,
  partAdopted: () => undefined,
  retried: () => undefined,
  tidyFailed: () => undefined,
  removed: () => undefined,
  namedAgain: () => undefined,
  decided: () => undefined,
  storeTrouble: () => undefined,
  storeRecovered: () => undefined,
};
