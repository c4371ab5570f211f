/** What a watch leaves alone is said once, and again when it changes: never silently, never with every walk. */
import type { Refusal } from "./path-filter.ts";
import type { Skip } from "./rescan.ts";

const WORDS: Readonly<Record<Refusal, string>> = {
  hidden: "hidden",
  leftover: "left behind by an editor, NFS or fsck",
  marker: "markers",
  own: "being tidied",
  not_included: "not matched by SLUICE_INCLUDE",
  excluded: "matched by SLUICE_EXCLUDE",
  too_old: "older than SLUICE_IGNORE_OLDER_THAN",
};

/** These come and go with the work itself. */
const NOT_WORTH_TELLING: ReadonlySet<string> = new Set<Refusal>(["marker", "own"]);

export class SkipReport {
  #counts = new Map<Skip, number>();
  #told = "";

  count(reason: Skip): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  /** Ends a walk. A sentence when it skipped other things than the walk before. */
  end(): string | undefined {
    const counts = [...this.#counts].filter(([reason]) => !NOT_WORTH_TELLING.has(reason));
    this.#counts = new Map();
    const parts = counts
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([reason, count]) => `${count} ${wordsFor(reason)}`);
    const text = parts.join(", ");
    if (text === this.#told) return undefined;
    this.#told = text;
    return text === "" ? "nothing is left alone any more" : `left alone: ${text}`;
  }
}

function wordsFor(reason: Skip): string {
  return WORDS[reason as Refusal] ?? `(${reason})`;
}
