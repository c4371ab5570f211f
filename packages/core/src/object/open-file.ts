/**
 * The stream's local file, opened to be read. A file that cannot be read is never taken for one that no longer exists.
 */
import { FileError, StreamFailure } from "../errors.ts";
import type { OpenFile } from "../ports/file-source.ts";
import type { ProcessorDeps } from "../flow/dependencies.ts";

/** Undefined when nothing is there any more. */
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
      // Whatever has come to stand there, the next look judges it.
      if ((await deps.files.look(path)).kind !== "file") return undefined;
      // Stat calls it a regular file; opened, it turns out to lie elsewhere.
      throw new StreamFailure("unreadable_file", `it cannot be read safely: ${opened.what}`);
    case "missing":
      return undefined;
  }
}

/** Denied rights are the file's own; EIO, ESTALE and their like come from the volume and are waited for. */
export function unreadableFile(look: { code: string; detail: string }): StreamFailure | FileError {
  if (look.code === "EACCES" || look.code === "EPERM") {
    return new StreamFailure("unreadable_file", look.detail);
  }
  return new FileError(look.code, look.detail);
}

/** Parts of one stream in flight together read through one descriptor: it is open as long as any of them holds it. */
export interface HeldFile extends AsyncDisposable {
  readonly file: OpenFile;
}

export class SharedFile {
  #opening: Promise<OpenFile | undefined> | undefined;
  #holders = 0;

  /** Undefined when nothing is there any more. Rejects as `open` does, and then holds nothing. */
  async hold(open: () => Promise<OpenFile | undefined>): Promise<HeldFile | undefined> {
    this.#opening ??= open();
    this.#holders += 1;
    try {
      const file = await this.#opening;
      if (file) return { file, [Symbol.asyncDispose]: () => this.#letGo() };
    } catch (error) {
      await this.#letGo(true);
      throw error;
    }
    await this.#letGo();
    return undefined;
  }

  async #letGo(failed = false): Promise<void> {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    const opened = this.#opening;
    this.#opening = undefined;
    if (!failed) await (await opened)?.[Symbol.asyncDispose]();
  }
}
