/** A path goes to the file system as the exact bytes it came as; Node's string paths would bend those that are not UTF-8. */
import { encodePath } from "@sluice/core";

export function pathBuffer(path: string): Buffer {
  const bytes = encodePath(path);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whether `path` is inside the directory `root`; neither ends in a slash, but for the root of all. */
export function isUnder(root: string, path: string): boolean {
  return path.startsWith(root === "/" ? root : `${root}/`);
}
