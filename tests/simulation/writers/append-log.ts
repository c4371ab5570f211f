import type { Writer } from "./writer.ts";

/** Appends for ever, opening the file for each line. */
export const appendLog: Writer = function* ({ name, disk, bytes, random }) {
  for (let line = random.between(3, 25); line > 0; line -= 1) {
    disk.append(`${name}.csv`, bytes(random.between(1, 3_000)));
    yield random.between(10, 18_000);
  }
};
