/**
 * Whose is an open upload that no stream owns? Only an upload that is provably ours is ever cleaned up automatically;
 * in doubt it is another program's recording.
 */
export interface UploadFacts {
  /** ISO; absent on stores that do not report it. */
  initiated: string | undefined;
  /** One of our streams has this key, and began at this time (ISO). */
  keyHolderStartedAt: string | undefined;
  /** A purge left this upload to be aborted. */
  leftByPurge: boolean;
  /** Redis was emptied: which streams existed is unknown. */
  redisEmptied: boolean;
  /**
   * The key maps to a file of a watch; whether every listed part equals its bytes on our part grid (undefined: not
   * compared).
   */
  localFile: { path: string; partsEqual: boolean | undefined } | undefined;
}

export interface UploadVerdict {
  verdict: "ours" | "foreign" | "unknown";
  because: string;
}

/** Whose an open upload is that no record names, and why. In doubt it is `unknown`, and nobody aborts it. Pure. */
export function judgeUpload(facts: UploadFacts): UploadVerdict {
  if (facts.leftByPurge) return { verdict: "ours", because: "left by a purge" };
  const holder = facts.keyHolderStartedAt;
  if (holder !== undefined) {
    if (facts.initiated === undefined)
      return {
        verdict: "unknown",
        because: "one of our streams has its key, but the store does not say when it began",
      };
    return Date.parse(facts.initiated) >= Date.parse(holder)
      ? { verdict: "ours", because: "one of our streams has its key, and it began after that stream" }
      : { verdict: "foreign", because: "one of our streams has its key, but it began before that stream" };
  }
  if (!facts.localFile)
    return { verdict: "foreign", because: "no stream has its key, and no file of a watch maps to it" };
  if (facts.redisEmptied && facts.localFile.partsEqual === true) {
    return { verdict: "ours", because: "Redis was emptied, and every part of it equals the local file" };
  }
  return { verdict: "unknown", because: "a file of a watch maps to its key, but no stream knows it" };
}
