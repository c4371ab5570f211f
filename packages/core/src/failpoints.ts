/**
 * The gaps between two side effects of a stream, by name. In a test build the worker can be killed, hung or made to
 * throw at any of them; in production nothing happens there. What must hold after a crash in each gap is defined by
 * CRASH_POINTS (testing/crash-points.ts).
 */
export const FAILPOINTS = [
  /** The file is known, no record is written yet. Reached by the code that opens streams. */
  "file_seen",
  /** The record is written, no request to S3 was made. */
  "stream_opened",
  /** The key is fixed and the intent to open an upload is saved; Create is not sent. */
  "create_intended",
  /** Create was answered; its upload id is not saved. */
  "upload_created",
  /** The upload id is saved; no part was sent. */
  "upload_recorded",
  /** A part is read and about to be sent. */
  "part_sending",
  /** S3 acknowledged a part that the checkpoint does not have yet. */
  "part_acknowledged",
  /** The checkpoint has the part. */
  "part_recorded",
  /** A part is about to be copied from an earlier object inside the store. */
  "part_copying",
  /** The store copied a part; it was not compared with the file yet, and the checkpoint does not have it. */
  "part_copied",
  /** The file is complete, and that is saved. */
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
  /**
   * Another program's object has the metadata's name: the next name is saved in the record, nothing is written there.
   */
  "metadata_named",
  /** The metadata object is written. */
  "described",
  /** The local file is about to be deleted or moved: it is hidden, and its object is being checked. */
  "tidying",
  /** The local file is deleted, moved or kept, as its watch says; the record does not say so. */
  "tidied",
  /** The record says completed; the stream is history. */
  "completed",
  /** Checkpoint and S3 were compared; the outcome is not saved. */
  "reconciling",
  /** The upload no longer exists in S3; the record does not say so. */
  "upload_lost",
  /** The stream cannot continue; the record does not say so. */
  "failing",
  /** The record says failed. */
  "failed",
  /** The file was found under another name of its watch; the record does not say so. */
  "renaming",
  /** The record has the new name; the holder of the former one has not been checked. */
  "renamed",
  /** The object of a stored file is missing or another; the stream that sends the file again is not opened. */
  "object_lost",
  /** Another file is at the path; its stream is not opened. A useless upload of this one is aborted. */
  "superseding",
  /** The path belongs to the new generation. */
  "superseded",
  /** A stream without any data in S3 is about to be removed; its empty upload is aborted, its record exists. */
  "removing",
  /** An operator's abort is in the record; it was not started. */
  "abort_asked",
  /** An operator's abort removed the upload; the record does not say so. */
  "aborting",
  /** A salvage has taken the stream; nothing was done for it. */
  "salvaging",
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

/** Called in each gap. In a test build it may never return. */
export type ReachFailpoint = (name: Failpoint) => void | Promise<void>;
