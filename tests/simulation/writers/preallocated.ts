import type { Writer } from "./writer.ts";

/** Takes its room at once, fills it from the beginning, and gives back what it did not need. */
export const preallocated: Writer = function* ({ name, disk, open, bytes, random }) {
  const path = `${name}.raw`;
  const size = random.between(10_000, 90_000);
  const file = open(path);
  disk.truncate(path, size);
  let at = 0;
  for (let piece = random.between(2, 8); piece > 0; piece -= 1) {
    yield random.between(100, 20_000);
    const some = bytes(Math.min(size - at, random.between(1_000, 30_000)));
    file.write(at, some);
    at += some.length;
  }
  if (random.chance(0.7) && disk.has(path)) disk.truncate(path, at);
  file.close();
};
