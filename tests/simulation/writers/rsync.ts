import type { Writer } from "./writer.ts";

/** rsync -a of a file that changes at its source: a hidden copy grows, gets the source's time and takes the name. */
export const rsync: Writer = function* ({ name, disk, bytes, random }) {
  const path = `${name}.bin`;
  const slash = path.lastIndexOf("/") + 1;
  const source: Uint8Array[] = [];
  for (let pass = random.between(1, 3); pass > 0; pass -= 1) {
    source.push(bytes(random.between(1, 30_000)));
    const hidden = `${path.slice(0, slash)}.${path.slice(slash)}.${random.hex(6)}`;
    for (const piece of source) {
      disk.append(hidden, piece);
      yield random.between(1, 3_000);
    }
    disk.setMtime(hidden, disk.at(hidden).mtimeNs - 3_600_000_000_000n);
    disk.rename(hidden, path);
    yield random.between(1_000, 60_000);
  }
};
