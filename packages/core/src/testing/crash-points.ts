/**
 * Every gap between two side effects of a stream's life, and what must hold when the process dies there: the list that
 * the unit suite walks over memory, the integration suite over Redis and an S3 endpoint, and the chaos suite with
 * SIGKILL. Ids are those of the crash matrix; letters tell several gaps of one row apart.
 */
import type { Failpoint } from "../failpoints.ts";

/** What the file goes through, so that the gap is met at all. */
export const STORIES = {
  grows: "two full parts and a tail are written, then nothing more",
  small: "less than one part is written, then nothing more",
  empty: "the file is created and stays empty",
  header_rewritten: "two full parts are written, then the first bytes are rewritten in place",
  grows_while_pending: "as `grows`; when it is judged complete, more is written",
  tail_outgrown: "as `grows`; when its tail is acknowledged, more is written",
  safeguarded:
    "less than one part is written and its tail goes up by itself; when that is in the checkpoint, it grows past the part",
  upload_removed: "as `grows`; after the first part a lifecycle rule removes the upload",
  replaced: "one full part is written, then another file takes the path",
  replaced_early: "less than one part is written, then another file takes the path",
  renamed: "one full part is written, then the file is renamed",
  removed_early: "less than one part is written, then the file is deleted",
  metadata_taken: "as `small`, where another program's object stands at the name of the metadata object",
  removed: "two full parts are written, then the file is deleted",
  salvaged:
    "two full parts are written, then the file is deleted and an operator salvages it; the request stands until it is done",
  aborted: "two full parts are written, then an operator aborts; the request stands until it is done",
  deleted_after: "as `grows`, in a watch that deletes completed files",
  extended: "as `grows`; when it is completed, more is written, and its first bytes are rewritten in place",
  object_removed:
    "as `small`, in a watch that deletes completed files; before that is done somebody removes the object",
} as const;

export type Story = keyof typeof STORIES;

export interface CrashPoint {
  id: string;
  story: Story;
  failpoint: Failpoint;
  /** The death comes when the gap is reached for the nth time. */
  nth: number;
  gap: string;
  /** After the next start. */
  outcome: string;
}

export const CRASH_POINTS: readonly CrashPoint[] = [
  point("C0", "grows", "file_seen", "file seen, no record", "it is discovered again; one stream"),
  point("C1", "grows", "stream_opened", "record written, no upload", "one upload is opened"),
  point("C1b", "grows", "create_intended", "intent saved, Create not sent", "one upload is opened"),
  point(
    "C2",
    "grows",
    "upload_created",
    "Create answered, id not saved",
    "the upload is found again and used",
  ),
  point("C3", "grows", "upload_recorded", "id saved, no part", "it continues at part 1"),
  point("C4", "grows", "part_sending", "a part about to be sent", "that part is sent, no other again"),
  point(
    "C5",
    "grows",
    "part_acknowledged",
    "part acknowledged, not in the checkpoint",
    "adopted, not sent again",
  ),
  point("C5b", "grows", "part_acknowledged", "the same for the second part", "adopted, not sent again", 2),
  point("C6", "grows", "part_recorded", "checkpoint written, its answer lost", "it resumes behind that part"),
  point("C7", "grows", "part_recorded", "two parts in the checkpoint", "it resumes behind them", 2),
  point("C8", "grows", "settled", "judged complete", "the seal begins again"),
  point("C9", "grows_while_pending", "settled", "judged complete, then it grows", "it grows on, same upload"),
  point("C10", "grows", "verifying", "in the verify pass", "the pass begins again"),
  point(
    "C11",
    "header_rewritten",
    "part_acknowledged",
    "changed part sent again, its old ETag in the checkpoint",
    "the new one is adopted",
    3,
  ),
  point(
    "C12",
    "tail_outgrown",
    "part_acknowledged",
    "tail acknowledged, then the file grows",
    "the tail is cut again under its number",
    3,
  ),
  point(
    "C12b",
    "tail_outgrown",
    "part_recorded",
    "tail in the checkpoint, then the file grows",
    "the tail is cut again under its number",
    3,
  ),
  point("C13", "grows", "completing", "all verified, Complete not sent", "completed once"),
  point("C13b", "small", "put_sending", "key fixed, Put not sent", "put once"),
  point(
    "C15",
    "grows",
    "completed_in_store",
    "Complete done, not recorded",
    "recognised; no second version of the object",
  ),
  point(
    "C16",
    "small",
    "put_in_store",
    "Put done, not recorded",
    "recognised; no second version of the object",
  ),
  point(
    "C16b",
    "empty",
    "put_in_store",
    "the same for an empty file",
    "recognised; no second version of the object",
  ),
  point("C17", "grows", "assembled", "recorded as complete, metadata not written", "metadata written"),
  point("C18", "grows", "described", "metadata written, not recorded", "the same metadata again"),
  point("C19", "grows", "completed", "completed, process not told", "nothing is left to do"),
  point("C20a", "deleted_after", "tidying", "local file hidden, not deleted", "put back, then deleted"),
  point("C20", "deleted_after", "tidied", "local file deleted, record left", "completed, not missing"),
  point(
    "C20b",
    "object_removed",
    "object_lost",
    "object found gone, its file not given to a new stream",
    "the file is sent again",
  ),
  point(
    "C20c",
    "object_removed",
    "superseded",
    "object found gone, the file given to a new stream",
    "the file is sent again",
  ),
  point(
    "C29",
    "extended",
    "create_intended",
    "what is to be copied is fixed, Create not sent",
    "extended with one upload",
    2,
  ),
  point("C29b", "extended", "part_copying", "a part about to be copied", "copied; no byte of it is sent"),
  point(
    "C29c",
    "extended",
    "part_copied",
    "a part copied, not compared",
    "compared and kept; no byte of it is sent",
  ),
  point(
    "C29d",
    "extended",
    "part_recorded",
    "a copied part in the checkpoint",
    "it resumes behind that part",
    4,
  ),
  point(
    "C29e",
    "extended",
    "completing",
    "all copied and sent, Complete not sent",
    "the object is replaced once",
    2,
  ),
  point(
    "C29f",
    "extended",
    "completed_in_store",
    "the object replaced, not recorded",
    "recognised; no third version of the object",
    2,
  ),
  point("C30", "safeguarded", "create_intended", "a tail is due, Create not sent", "one upload is opened"),
  point("C30b", "safeguarded", "upload_recorded", "an upload for the tail alone", "its tail goes up"),
  point(
    "C30c",
    "safeguarded",
    "part_sending",
    "a tail about to be sent",
    "it is sent, as far as the file goes",
  ),
  point(
    "C30d",
    "safeguarded",
    "part_acknowledged",
    "a tail acknowledged, not in the checkpoint",
    "adopted, and cut again when its part is full",
  ),
  point(
    "C30e",
    "safeguarded",
    "part_recorded",
    "a tail in the checkpoint, then its part is full",
    "the full part takes its place",
  ),
  point(
    "C30f",
    "safeguarded",
    "part_acknowledged",
    "the full part acknowledged in the tail's place, the tail in the checkpoint",
    "adopted, not sent again",
    2,
  ),
  point("C21", "removed", "failing", "about to be recorded as failed", "failed, in exactly one index"),
  point("C21b", "removed", "failed", "recorded as failed", "failed, in exactly one index"),
  point("C21c", "removed_early", "removing", "nothing in S3, file gone, record left", "removed, no trace"),
  point(
    "C18b",
    "metadata_taken",
    "metadata_named",
    "the next name of the metadata is recorded, nothing put there",
    "metadata written there",
  ),
  point("C23", "aborted", "abort_asked", "abort recorded, nothing done for it", "aborted, never completed"),
  point("C23b", "aborted", "aborting", "its upload removed, not recorded", "aborted, no upload left"),
  point("C31", "salvaged", "salvaging", "taken for a salvage, nothing done for it", "salvaged once"),
  point("C31b", "salvaged", "completing", "parts compared, Complete not sent", "salvaged once"),
  point(
    "C31c",
    "salvaged",
    "completed_in_store",
    "the partial object exists, not recorded",
    "recognised; no second version of the object",
  ),
  point("C31d", "salvaged", "assembled", "recorded as salvaged, metadata not written", "metadata written"),
  point("C31e", "salvaged", "described", "metadata of the salvage written, not recorded", "the same again"),
  point("C31f", "salvaged", "completed", "the salvage completed, not answered", "nothing is left to do"),
  point(
    "C26",
    "upload_removed",
    "upload_lost",
    "upload found gone, not recorded",
    "all bytes go again, once",
  ),
  point(
    "C28",
    "replaced",
    "superseding",
    "another file at the path, its stream not opened",
    "each file its own stream",
  ),
  point("C28b", "replaced", "superseded", "the path given to the new generation", "each file its own stream"),
  point(
    "C28c",
    "replaced_early",
    "superseding",
    "the same without an acknowledged part",
    "one stream, for the new file",
  ),
  point(
    "C28d",
    "renamed",
    "renaming",
    "found under its new name, not recorded",
    "it is followed; the key stays",
  ),
  point(
    "C28e",
    "renamed",
    "renamed",
    "the new name recorded, process not told",
    "it resumes under that name",
  ),
];

function point(
  id: string,
  story: Story,
  failpoint: Failpoint,
  gap: string,
  outcome: string,
  nth = 1,
): CrashPoint {
  return { id, story, failpoint, nth, gap, outcome };
}
