import type { Writer } from "./writer.ts";

/** A ring of names, as of tcpdump: the oldest name is opened again, cut to nothing and filled with another capture. */
export const ring: Writer = function* ({ name, disk, bytes, random }) {
  const names = random.between(2, 3);
  for (let turn = 0; turn < random.between(3, 7); turn += 1) {
    const path = `${name}.pcap${turn % names}`;
    if (disk.has(path)) disk.truncate(path, 0);
    for (let piece = random.between(1, 3); piece > 0; piece -= 1) {
      disk.append(path, bytes(random.between(100, 40_000)));
      yield random.between(50, 25_000);
    }
  }
};
