/**
 * Opens the stream's local file for reading. A file that cannot be read is never taken for one that no longer exists.
 */
import { FileError, StreamFailure } from "../errors.ts";
import type { OpenFile } from "../ports/file-source.ts";
import type { ProcessorDeps } from "../flow/dependencies.ts";

/** Undefined if the file no longer exists. */
export async function openToRead(
  path: string,
  deps: Pick<ProcessorDeps, "files">,
): Promise<OpenFile | undefined> {
  const opened = await deps.files.open(path);
  switch (opened.kind) {
    case "file":
      return opened.file;
    case "unreadable":
      throw unreadableFile(opened);
    case "not_a_stream":
      // Whatever is there now, the next check decides.
      if ((await deps.files.look(path)).kind !== "file") return undefined;
      // A stat shows a regular file, but once opened, it is elsewhere.
      throw new StreamFailure("unreadable_file", `it cannot be read safely: ${opened.what}`);
    case "missing":
      return undefined;
  }
}

/** Denied permissions concern the file itself; EIO, ESTALE and similar come from the volume and are waited for. */
export function unreadableFile(look: { code: string; detail: string }): StreamFailure | FileError {
  if (look.code === "EACCES" || look.code === "EPERM") {
    return new StreamFailure("unreadable_file", look.detail);
  }
  return new FileError(look.code, look.detail);
}

/**
 * Parts of one stream that are in flight together read through one descriptor, which is open as long as any of them
 * holds it.
 */
export interface HeldFile extends AsyncDisposable {
  readonly file: OpenFile;
}

export class SharedFile {
  #opening: Promise<OpenFile | undefined> | undefined;
  #holders = 0;

  /** Undefined if the file no longer exists. Rejects as `open` does, and then holds nothing. */
  async hold(open: () => Promise<OpenFile | undefined>): Promise<HeldFile | undefined> {
    this.#opening ??= open();
    this.#holders += 1;
    try {
      const file = await this.#opening;
      if (file) return { file, [Symbol.asyncDispose]: () => this.#releaseFile() };
    } catch (error) {
      await this.#releaseFile(true);
      throw error;
    }
    await this.#releaseFile();
    return undefined;
  }

  async #releaseFile(failed = false): Promise<void> {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    const opened = this.#opening;
    this.#opening = undefined;
    if (!failed) await (await opened)?.[Symbol.asyncDispose]();
  }
}
