import type { Writer } from "./writer.ts";

/** Writes beside the watch's names and links the file in when it is whole, as careful programs do; the other name goes later. */
export const linker: Writer = function* ({ name, disk, bytes, random }) {
  const [draft, path] = [`${name}.draft.tmp`, `${name}.out`];
  for (let turn = random.between(1, 2); turn > 0; turn -= 1) {
    disk.append(draft, bytes(random.between(1, 20_000)));
    yield random.between(10, 20_000);
    if (disk.has(path)) disk.unlink(path);
    disk.link(draft, path);
    yield random.between(0, 40_000);
    disk.unlink(draft);
    yield random.between(1_000, 40_000);
  }
};
