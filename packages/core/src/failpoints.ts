/**
 * The gaps between two side effects of a stream's life, by name. In a test build the worker can be killed, hung or
 * made to throw at any of them; in production nothing happens there. What must hold after a death in each gap is told
 * by CRASH_POINTS (testing/crash-points.ts).
 */
export const FAILPOINTS = [
  /** The file is known, no record is written yet. Reached by whoever opens streams. */
  "file_seen",
  /** The record is written, nothing was asked of S3. */
  "stream_opened",
  /** The key is fixed and the intent to open an upload saved; Create is not sent. */
  "create_intended",
  /** Create was answered; its upload id is not saved. */
  "upload_created",
  /** The upload id is saved; no part was sent. */
  "upload_recorded",
  /** A part is read and about to be sent. */
  "part_sending",
  /** S3 acknowledged a part that the checkpoint does not hold yet. */
  "part_acknowledged",
  /** The checkpoint holds the part. */
  "part_recorded",
  /** A part is about to be copied from an earlier object inside the store. */
  "part_copying",
  /** The store copied a part; it was not compared with the file yet, and the checkpoint does not hold it. */
  "part_copied",
  /** The file is judged complete and the judgement saved. */
  "settled",
  /** Between two parts of the verify pass. */
  "verifying",
  /** All parts are verified; Complete is not sent. */
  "completing",
  /** The object exists; the record does not say so. */
  "completed_in_store",
  /** A file without an upload: its key is fixed, Put is not sent. */
  "put_sending",
  /** Put was answered; the record does not say so. */
  "put_in_store",
  /** The record says that the object exists and is verified; its metadata object does not. */
  "assembled",
  /** Another program's object stands at the metadata's name: the next one is fixed in the record, nothing is put there. */
  "metadata_named",
  /** The metadata object is written. */
  "described",
  /** The local file is about to be deleted or moved: it has no name, and its object is being asked for. */
  "tidying",
  /** The local file is deleted, moved or kept, as its watch says; the record does not say so. */
  "tidied",
  /** The record says completed; the stream is history. */
  "completed",
  /** Checkpoint and S3 were compared; the outcome is not saved. */
  "reconciling",
  /** S3 does not know the upload any more; the record does not say so. */
  "upload_lost",
  /** The stream cannot go on; the record does not say so. */
  "failing",
  /** The record says failed. */
  "failed",
  /** The file was found under another name of its watch; the record does not say so. */
  "renaming",
  /** The record bears the new name; whatever holds the one before has not been looked at. */
  "renamed",
  /** The object of a stored file is gone or another; the stream that sends the file again is not opened. */
  "object_lost",
  /** Another file stands at the path; its stream is not opened. A worthless upload of this one is aborted. */
  "superseding",
  /** The path belongs to the new generation. */
  "superseded",
  /** A stream of which S3 holds nothing is about to be removed; its empty upload is aborted, its record is there. */
  "removing",
  /** An operator's abort is in the record; nothing was done for it. */
  "abort_asked",
  /** An operator's abort removed the upload; the record does not say so. */
  "aborting",
  /** A salvage has taken the stream; nothing was done for it. */
  "salvaging",
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

/** Called in each gap. A test build may never return from it. */
export type ReachFailpoint = (name: Failpoint) => void | Promise<void>;
