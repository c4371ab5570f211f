/**
 * Local data must never be lost. A file is first moved where nobody finds it under its name; then it is checked for
 * writers again and compared with what was verified, its object is checked, and only then is it deleted or moved. Any
 * difference restores it, next to whatever has taken its name meanwhile. A crash at any point leaves the file under one
 * of the two names, never under none.
 *
 *     compare with the snapshot, ctime too        rename moves the ctime: it is compared before, and from then on
 *     → look for writers (any answer will do)     with what it was right after the rename
 *     → rename to .sluice-tidy-<id>/<name>
 *     → compare → look for writers again → HeadObject → compare → unlink, or give it its new name
 */
import { constants } from "node:fs";
import { access, lstat, mkdir, open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  compareWithSnapshot,
  displayPath,
  type Compared,
  type FileFacts,
  type FileTidier,
  type TidyChecks,
  type TidyOutcome,
  type WriterProbe,
} from "@sluice/core";
import { copyFile } from "./copy-file.ts";
import { factsOf, kindOfEntry } from "../file-facts.ts";
import { pathBuffer } from "../path-buffer.ts";
import { placeUnderFreeName, removeIfEmpty } from "./place-file.ts";
import { putBackIn } from "./recover-tidying.ts";
import { isMissing, systemError } from "../system-error.ts";
import { TidyError } from "./tidy-error.ts";
import { tidyName } from "./tidy-name.ts";

/** What to do with a hidden file that was proved to be the verified one. `unchanged`: whether it still is. */
type Act = (hidden: string, unchanged: () => Promise<boolean>) => Promise<"done" | "changed">;

/** Does not wait for the other end of a FIFO, and never follows a link. */
const LOOK = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class DiskFileTidier implements FileTidier {
  readonly #writers: WriterProbe;
  /** Directories of files that are being tidied now: not leftovers of a crash. */
  readonly #busy = new Set<string>();
  /** Directories of files that could not be restored. */
  readonly #left = new Set<string>();

  constructor(options: { writers: WriterProbe }) {
    this.#writers = options.writers;
  }

  get busy(): ReadonlySet<string> {
    return this.#busy;
  }

  /**
   * Whether a file below this root may lie hidden, because its name could not be given back. The next call says no: the
   * caller searches for it now.
   */
  takeLeft(root: string): boolean {
    const left = [...this.#left].filter((directory) => directory.startsWith(`${root}/`));
    for (const directory of left) this.#left.delete(directory);
    return left.length > 0;
  }

  async remove(path: string, checks: TidyChecks): Promise<TidyOutcome> {
    const markers = await markersOf(checks);
    const outcome = await this.#tidy(path, checks, async (hidden) => {
      await unlink(pathBuffer(hidden));
      return "done";
    });
    const empty = markers.filter(({ facts }) => facts.size === 0);
    return await withMarkers(path, outcome, empty, (marker) => unlink(pathBuffer(marker)));
  }

  async move(
    path: string,
    checks: TidyChecks,
    targetDirectory: string,
    relativePath: string,
  ): Promise<TidyOutcome> {
    const target = join(targetDirectory, relativePath);
    try {
      await mkdir(pathBuffer(dirname(target)), { recursive: true });
      // Checked first, because hiding and restoring would change the ctime for nothing if the file cannot be moved
      // there.
      await access(pathBuffer(dirname(target)), constants.W_OK | constants.X_OK);
    } catch (error) {
      return impossible(path, systemError(error).message);
    }
    const markers = await markersOf(checks);
    const outcome = await this.#tidy(path, checks, (hidden, unchanged) => give(hidden, target, unchanged));
    return await withMarkers(path, outcome, markers, async (marker, unchanged) => {
      await give(marker, join(dirname(target), basename(marker)), unchanged);
    });
  }

  async #tidy(path: string, checks: TidyChecks, act: Act): Promise<TidyOutcome> {
    try {
      let now = await look(path);
      if (now === "gone") {
        await putBackIn(dirname(path), this.#busy);
        now = await look(path);
      }
      if (now === "gone") return { kind: "gone" };
      const is = compare(checks.snapshot, now);
      if (is === "touched" && now !== "not a file") return { kind: "touched", now };
      if (is !== "same" || now === "not a file") return { kind: "changed" };
      // Any answer is enough: it avoids hiding a file that is known to have a writer.
      const refused = await this.#refusal(path, now, checks, false);
      return refused ?? (await this.#hideAndAct(path, checks, act));
    } catch (error) {
      return impossible(path, error instanceof TidyError ? error.message : systemError(error).message);
    }
  }

  /**
   * Why the file must stay because of writers. `facts` are current: the snapshot's device may belong to another mount.
   */
  async #refusal(
    path: string,
    facts: FileFacts,
    { unseen }: TidyChecks,
    fresh: boolean,
  ): Promise<TidyOutcome | undefined> {
    const writers = await this.#writers.openForWriting(path, facts, { fresh, tidying: true });
    if (writers.kind === "open") return writers;
    return writers.kind === "unknown" && !unseen ? { kind: "unseen", detail: writers.detail } : undefined;
  }

  async #hideAndAct(path: string, checks: TidyChecks, act: Act): Promise<TidyOutcome> {
    const directory = join(dirname(path), tidyName());
    const hidden = join(directory, basename(path));
    this.#busy.add(directory);
    try {
      await mkdir(pathBuffer(directory), { mode: 0o700 });
      return await this.#actOn(path, hidden, checks, act);
    } finally {
      // Not empty means that the file could not be restored now. It is intact, and the next walk or start tries again.
      await removeIfEmpty(directory);
      this.#busy.delete(directory);
    }
  }

  async #actOn(path: string, hidden: string, checks: TidyChecks, act: Act): Promise<TidyOutcome> {
    try {
      await rename(pathBuffer(path), pathBuffer(hidden));
    } catch (error) {
      if (isMissing(error)) return { kind: "gone" };
      throw error;
    }
    let outcome: TidyOutcome | undefined;
    try {
      outcome = await this.#proveAndAct(hidden, checks, act);
      return outcome;
    } finally {
      if (outcome?.kind !== "done") await this.#putBack(hidden, path);
    }
  }

  /** Another file may have the name by now: then the file is restored next to it. */
  async #putBack(hidden: string, path: string): Promise<void> {
    try {
      await placeUnderFreeName(hidden, path);
    } catch (error) {
      // Another worker has restored it already, or the volume went away with it.
      this.#left.add(dirname(hidden));
      if (!isMissing(error)) throw error;
    }
  }

  async #proveAndAct(hidden: string, checks: TidyChecks, act: Act): Promise<TidyOutcome> {
    const now = await look(hidden);
    const is = compare(checks.snapshot, now);
    if (now === "gone" || now === "not a file" || is === "changed") return { kind: "changed" };
    const unchanged = async (): Promise<boolean> => compare(now, await look(hidden)) === "same";
    const refused = await this.#refusal(hidden, now, checks, true);
    if (refused) return refused;
    if (!(await checks.proved())) return { kind: "unproved" };
    if (!(await unchanged()) || (await act(hidden, unchanged)) !== "done") return { kind: "changed" };
    return { kind: "done" };
  }
}

type Seen = FileFacts | "gone" | "not a file";

/**
 * Through a descriptor: opening a file makes a network file system ask its server, whereas a plain stat may be stale.
 */
async function look(path: string): Promise<Seen> {
  try {
    // Opening a device can have side effects, so the entry is checked first.
    if (kindOfEntry(await lstat(pathBuffer(path), { bigint: true })) !== undefined) return "not a file";
    await using file = await open(pathBuffer(path), LOOK);
    const stats = await file.stat({ bigint: true });
    return kindOfEntry(stats) === undefined ? factsOf(stats) : "not a file";
  } catch (error) {
    if (isMissing(error)) return "gone";
    const { code } = systemError(error);
    // Something else took the name between the check and the open.
    if (code === "ELOOP" || code === "ENXIO") return "not a file";
    throw error;
  }
}

function compare(verified: FileFacts, now: Seen): Compared {
  return typeof now === "string" ? "changed" : compareWithSnapshot(verified, now);
}

/** Under its new name, on another volume too. */
async function give(
  file: string,
  target: string,
  unchanged: () => Promise<boolean>,
): Promise<"done" | "changed"> {
  try {
    await placeUnderFreeName(file, target);
  } catch (error) {
    if (systemError(error).code !== "EXDEV") throw error;
    const copied = await copyFile(file, target, unchanged);
    if (copied === undefined) return "changed";
    await unlink(pathBuffer(file));
  }
  return "done";
}

interface Marker {
  path: string;
  facts: FileFacts;
}

async function markersOf({ markers = [] }: TidyChecks): Promise<Marker[]> {
  const found = await Promise.all(markers.map(async (path) => ({ path, facts: await look(path) })));
  return found.filter((marker): marker is Marker => typeof marker.facts === "object");
}

/** After its file: a marker that is as it was, while no other file has the name that it speaks of. */
async function withMarkers(
  path: string,
  outcome: TidyOutcome,
  markers: readonly Marker[],
  act: (marker: string, unchanged: () => Promise<boolean>) => Promise<void>,
): Promise<TidyOutcome> {
  if (outcome.kind !== "done") return outcome;
  for (const marker of markers) {
    const unchanged = async (): Promise<boolean> => compare(marker.facts, await look(marker.path)) === "same";
    try {
      if ((await look(path)) === "gone" && (await unchanged())) await act(marker.path, unchanged);
    } catch (error) {
      if (!isMissing(error)) return impossible(marker.path, systemError(error).message);
    }
  }
  return outcome;
}

function impossible(path: string, why: string): TidyOutcome {
  return { kind: "impossible", detail: `${displayPath(path)}: ${why}` };
}
