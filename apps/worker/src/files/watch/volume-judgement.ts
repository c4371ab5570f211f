/** An absent volume is not missing files: a pure judgement over the root and the live files of a watch. */

export interface VolumeFacts {
  /** Undefined when the root is not there or cannot be read. */
  root: { inode: string; birthtimeNs?: string | undefined } | undefined;
  /** As recorded when the watch was last `ok`. */
  recorded: { inode: string; birthtimeNs?: string | undefined } | undefined;
  /** Live files of the watch. */
  live: number;
  /** Those of them that are not there. */
  missing: number;
  /** Those of the missing ones of which S3 may hold something. */
  missed: number;
}

export type VolumeState = { state: "ok" } | { state: "offline"; detail: string };

export function judgeVolume(facts: VolumeFacts): VolumeState {
  const { root, recorded, live, missing, missed } = facts;
  if (!root) return { state: "offline", detail: "its directory is gone or cannot be read" };
  const left = live - missing;
  const moved = recorded && (root.inode !== recorded.inode || root.birthtimeNs !== recorded.birthtimeNs);
  if (moved && live > 0 && left === 0) {
    return {
      state: "offline",
      detail: "its directory is another one than before, and holds none of its live files",
    };
  }
  // A handful of temporary files that come and go together is no volume that went: nothing of them was ever sent.
  if (missing >= 2 && left === 0 && missed > 0) {
    return { state: "offline", detail: `all ${missing} of its live files are gone at once` };
  }
  return { state: "ok" };
}
