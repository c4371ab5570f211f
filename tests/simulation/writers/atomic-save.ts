import type { Writer } from "./writer.ts";

/** An editor: each save is another file that takes the name, from a hidden one beside it. */
export const atomicSave: Writer = function* ({ name, disk, bytes, random }) {
  const path = `${name}.txt`;
  const slash = path.lastIndexOf("/") + 1;
  for (let save = random.between(1, 4); save > 0; save -= 1) {
    const hidden = `${path.slice(0, slash)}.${path.slice(slash)}.${save}`;
    disk.append(hidden, bytes(random.between(0, 8_000)));
    yield random.between(1, 50);
    disk.rename(hidden, path);
    yield random.between(500, 80_000);
  }
};
