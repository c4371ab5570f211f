import type { Writer } from "./writer.ts";

/** Appends to a log that is rotated: by renames and a new file, or by copying it and cutting it to nothing. */
export const logrotate: Writer = function* ({ name, disk, bytes, random }) {
  const copies = random.chance(0.4);
  const log = `${name}.log`;
  for (let rotation = random.between(1, 3); rotation > 0; rotation -= 1) {
    for (let line = random.between(1, 5); line > 0; line -= 1) {
      disk.append(log, bytes(random.between(50, 5_000)));
      yield random.between(50, 20_000);
    }
    if (!disk.has(log)) continue;
    for (const age of [2, 1])
      if (disk.has(`${log}.${age}`)) disk.rename(`${log}.${age}`, `${log}.${age + 1}`);
    if (copies) {
      disk.append(`${log}.1`, disk.bytes(disk.at(log)).slice());
      disk.truncate(log, 0);
    } else disk.rename(log, `${log}.1`);
  }
  disk.append(log, bytes(random.between(50, 5_000)));
};
