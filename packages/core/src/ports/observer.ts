/** Everything worth seeing, as one interface: logs, metrics and tests listen here; the core knows none of them. */
import type { StreamRecord } from "../stream/record.ts";

export interface Observer {
  opened(stream: StreamRecord): void;
  moved(stream: StreamRecord, detail: string): void;
  partAcknowledged(
    stream: StreamRecord,
    part: { number: number; bytes: number; ms: number; attempts: number },
  ): void;
  partAdopted(stream: StreamRecord, part: { number: number; bytes: number }): void;
  retried(stream: StreamRecord, what: string, reason: string): void;
  decided(stream: StreamRecord, decision: string): void;
  storeTrouble(reason: string): void;
  storeHealed(): void;
}

export const SILENT: Observer = {
  opened: () => undefined,
  moved: () => undefined,
  partAcknowledged: () => undefined,
  partAdopted: () => undefined,
  retried: () => undefined,
  decided: () => undefined,
  storeTrouble: () => undefined,
  storeHealed: () => undefined,
};
