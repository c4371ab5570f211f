/** A file that stands there and cannot be read is never taken for one that is gone. */
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
