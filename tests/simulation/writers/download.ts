import type { Writer } from "./writer.ts";

/** A browser: an empty file keeps the name, another grows beside it under a temporary one and takes it at the end. */
export const download: Writer = function* ({ name, disk, bytes, random }) {
  const path = `${name}.iso`;
  const partial = `${path}${random.pick([".part", ".crdownload", ".filepart"])}`;
  if (random.chance(0.6)) disk.append(path, new Uint8Array());
  disk.append(partial, bytes(random.between(1, 3_000)));
  for (let piece = random.between(1, 6); piece > 0; piece -= 1) {
    yield random.between(100, 40_000);
    disk.append(partial, bytes(random.between(1, 40_000)));
  }
  if (random.chance(0.15)) {
    // Cancelled: both names go.
    disk.unlink(partial);
    if (disk.has(path)) disk.unlink(path);
    return;
  }
  disk.rename(partial, path);
};
