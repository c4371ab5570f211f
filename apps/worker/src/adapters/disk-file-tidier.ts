/**
 * Local data is sacred. A file is first put where nobody looks for it, then compared with what was verified, and only
 * then deleted or moved; any difference puts it back, beside whatever has taken its name meanwhile. A crash at any
 * point leaves the file under one name or the other, never none.
 */
import { lstat, mkdir, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  displayPath,
  type FileFacts,
  type FileTidier,
  type TidyOutcome,
  type WriterProbe,
} from "@sluice/core";
import { copyFile } from "./copy-file.ts";
import { factsOf, kindOfEntry } from "./file-facts.ts";
import { pathBuffer } from "./path-buffer.ts";
import { placeUnderFreeName, removeIfEmpty } from "./place-file.ts";
import { putBackIn } from "./recover-tidying.ts";
import { isMissing, systemError } from "./system-error.ts";
import { TidyError } from "./tidy-error.ts";
import { tidyName } from "./tidy-name.ts";

/** What becomes of a hidden file that was proved to be the verified one. */
type Act = (hidden: string) => Promise<"done" | "changed">;

export class DiskFileTidier implements FileTidier {
  readonly #writers: WriterProbe;
  /** Directories of files being tidied just now: not leftovers of a crash. */
  readonly #busy = new Set<string>();

  constructor(options: { writers: WriterProbe }) {
    this.#writers = options.writers;
  }

  get busy(): ReadonlySet<string> {
    return this.#busy;
  }

  async remove(path: string, snapshot: FileFacts): Promise<TidyOutcome> {
    return await this.#tidy(path, snapshot, async (hidden) => {
      await unlink(pathBuffer(hidden));
      return "done";
    });
  }

  async move(
    path: string,
    snapshot: FileFacts,
    targetDirectory: string,
    relativePath: string,
  ): Promise<TidyOutcome> {
    const target = join(targetDirectory, relativePath);
    return await this.#tidy(path, snapshot, async (hidden) => {
      await mkdir(pathBuffer(dirname(target)), { recursive: true });
      try {
        await placeUnderFreeName(hidden, target);
      } catch (error) {
        if (systemError(error).code !== "EXDEV") throw error;
        const copied = await copyFile(hidden, target, async () => (await seen(hidden, snapshot)) === "same");
        if (copied === undefined) return "changed";
        await unlink(pathBuffer(hidden));
      }
      return "done";
    });
  }

  async #tidy(path: string, snapshot: FileFacts, act: Act): Promise<TidyOutcome> {
    try {
      if ((await seen(path, snapshot)) === "gone") await putBackIn(dirname(path), this.#busy);
      const now = await seen(path, snapshot);
      if (now !== "same") return { kind: now };
      const writer = await this.#writers.openForWriting(path, snapshot);
      if (writer.kind === "open") {
        return impossible(path, `${writer.command} (pid ${writer.pid}) holds it open for writing`);
      }
      return await this.#hideAndAct(path, snapshot, act);
    } catch (error) {
      return impossible(path, error instanceof TidyError ? error.message : systemError(error).message);
    }
  }

  async #hideAndAct(path: string, snapshot: FileFacts, act: Act): Promise<TidyOutcome> {
    const directory = join(dirname(path), tidyName());
    const hidden = join(directory, basename(path));
    this.#busy.add(directory);
    try {
      await mkdir(pathBuffer(directory), { mode: 0o700 });
      return await this.#actOn(path, hidden, snapshot, act);
    } finally {
      // Not empty: the file could not be put back just now. It is whole, and the next start tries again.
      await removeIfEmpty(directory);
      this.#busy.delete(directory);
    }
  }

  async #actOn(path: string, hidden: string, snapshot: FileFacts, act: Act): Promise<TidyOutcome> {
    try {
      await rename(pathBuffer(path), pathBuffer(hidden));
    } catch (error) {
      if (isMissing(error)) return { kind: "gone" };
      throw error;
    }
    try {
      // The rename itself moved the ctime: it says nothing any more.
      const is = await seen(hidden, snapshot);
      if (is === "same" && (await act(hidden)) === "done") return { kind: "done" };
    } catch (error) {
      await putBack(hidden, path);
      throw error;
    }
    await putBack(hidden, path);
    return { kind: "changed" };
  }
}

/** Identity, size and mtime. The device counts only within one boot, and the record may be older. */
async function seen(path: string, verified: FileFacts): Promise<"same" | "changed" | "gone"> {
  try {
    const stats = await lstat(pathBuffer(path), { bigint: true });
    const facts = factsOf(stats);
    const born =
      facts.birthtimeNs === undefined ||
      verified.birthtimeNs === undefined ||
      facts.birthtimeNs === verified.birthtimeNs;
    const same =
      kindOfEntry(stats) === undefined &&
      facts.inode === verified.inode &&
      born &&
      facts.size === verified.size &&
      facts.mtimeNs === verified.mtimeNs;
    return same ? "same" : "changed";
  } catch (error) {
    if (isMissing(error)) return "gone";
    throw error;
  }
}

/** Another file may have the name by now: then it comes back beside that one. */
async function putBack(hidden: string, path: string): Promise<void> {
  try {
    await placeUnderFreeName(hidden, path);
  } catch (error) {
    // Another worker put it back already.
    if (!isMissing(error)) throw error;
  }
}

function impossible(path: string, why: string): TidyOutcome {
  return { kind: "impossible", detail: `${displayPath(path)}: ${why}` };
}
