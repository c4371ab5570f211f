import type { Writer } from "./writer.ts";

/** Removes its file and makes another under the name at once, as a card that is swapped or a recorder that starts again. */
export const replacer: Writer = function* ({ name, disk, bytes, random }) {
  const path = `${name}.avi`;
  for (let take = random.between(2, 4); take > 0; take -= 1) {
    if (disk.has(path)) disk.unlink(path);
    for (let piece = random.between(1, 3); piece > 0; piece -= 1) {
      disk.append(path, bytes(random.chance(0.2) ? 90_000 : random.between(1, 20_000)));
      yield random.between(10, 20_000);
    }
    yield random.pick([0, 1_000, 8_000, 40_000]);
  }
};
