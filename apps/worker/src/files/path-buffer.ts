/** Passes a path to the file system as its exact bytes; Node's string paths would alter paths that are not UTF-8. */
import { encodePath } from "@sluice/core";

export function pathBuffer(path: string): Buffer {
  const bytes = encodePath(path);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whether `path` is inside the directory `root`; neither ends in a slash, except the root directory. */
export function isUnder(root: string, path: string): boolean {
  return path.startsWith(root === "/" ? root : `${root}/`);
}
