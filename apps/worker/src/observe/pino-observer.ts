/** Logs what happens to streams: one line for each change, one for each part at debug level. */
import { displayPath, type Clock, type Observer, type StreamRecord } from "@sluice/core";
import { trouble } from "@sluice/control/troubles";
import type { Log } from "./log.ts";
import { Outage } from "./outage.ts";

export function pinoObserver(log: Log, clock: Pick<Clock, "monotonicMs">): Observer {
  const about = (stream: StreamRecord) => ({
    stream_id: stream.id,
    path: displayPath(stream.original_path),
    ...(stream.s3_upload_id === undefined ? {} : { upload_id: stream.s3_upload_id }),
  });
  const store = new Outage(clock, log, {
    begins: "the store is unavailable; streams wait, none fails",
    over: "the store answers again",
    code: "store_unavailable",
  });
  return {
    opened: (stream) =>
      log.info({ ...about(stream), bytes: stream.file_size, reason: "found" }, "file found"),
    moved: (stream, detail) =>
      log.info({ ...about(stream), status: stream.status, bytes: stream.file_size }, detail),
    partAcknowledged: (stream, part) =>
      log.debug(
        { ...about(stream), part: part.number, bytes: part.bytes, ms: part.ms, attempts: part.attempts },
        "part acknowledged",
      ),
    tailSent: (stream, { bytes, ms }) =>
      log.debug({ ...about(stream), bytes, unprotected_ms: Math.round(ms) }, "tail protected"),
    partCopied: (stream, part) =>
      log.debug(
        { ...about(stream), part: part.number, bytes: part.bytes, ms: part.ms },
        "part copied inside the store",
      ),
    partAdopted: (stream, part) =>
      log.info(
        { ...about(stream), part: part.number, bytes: part.bytes },
        "part already in S3, not sent again",
      ),
    retried: (stream, what, reason) => log.debug({ ...about(stream), what, code: reason }, "will be retried"),
    tidyFailed: (stream, reason, detail) =>
      log.warn(
        { ...about(stream), reason, detail, ...trouble("file_not_tidied") },
        "the local file could not be tidied and stays where it is",
      ),
    removed: (stream, why, detail) =>
      log.info({ ...about(stream), bytes: stream.file_size, why }, `stream removed: ${detail}`),
    namedAgain: (stream, { key, number }) =>
      log.warn(
        { ...about(stream), watch: stream.watch, key, number },
        "one path gets one object after the other: SLUICE_ON_REPLACE=replace keeps only the newest",
      ),
    decided: (stream, decision) => log.info(about(stream), decision),
    storeTrouble: (reason) => store.during(reason),
    storeRecovered: () => store.over(),
  };
}

/** Combines several observers into one. */
export function combineObservers(...observers: readonly Observer[]): Observer {
  const forward =
    <K extends keyof Observer>(method: K) =>
    (...args: Parameters<Observer[K]>): void => {
      // Each method is called with exactly its own parameters.
      for (const observer of observers)
        (observer[method] as (...all: Parameters<Observer[K]>) => void)(...args);
    };
  return {
    opened: forward("opened"),
    moved: forward("moved"),
    partAcknowledged: forward("partAcknowledged"),
    tailSent: forward("tailSent"),
    partCopied: forward("partCopied"),
    partAdopted: forward("partAdopted"),
    retried: forward("retried"),
    tidyFailed: forward("tidyFailed"),
    removed: forward("removed"),
    namedAgain: forward("namedAgain"),
    decided: forward("decided"),
    storeTrouble: forward("storeTrouble"),
    storeRecovered: forward("storeRecovered"),
  };
}
