import { OTHER_ROOT, ROOT } from "../world/roots.ts";
import type { Writer } from "./writer.ts";

/** A file that moves to the other watch, before or after it was completed, and perhaps back. */
export const relocator: Writer = function* ({ name, disk, bytes, random }) {
  const here = `${name}.mov`;
  const there = here.replace(ROOT, OTHER_ROOT).replace("/day/", "/");
  disk.append(here, bytes(random.between(1, 30_000)));
  yield random.between(100, 60_000);
  disk.append(here, bytes(random.between(1, 30_000)));
  yield random.between(100, 60_000);
  disk.rename(here, there);
  yield random.between(100, 60_000);
  if (random.chance(0.5)) disk.append(there, bytes(random.between(1, 9_000)));
  if (random.chance(0.3)) disk.rename(there, here);
};
