import type { Writer } from "./writer.ts";

/** A database in one file, changed in its middle; a journal beside it lives for a moment. */
export const sqlite: Writer = function* ({ name, disk, open, bytes, random }) {
  const path = `${name}.db`;
  const database = open(path);
  database.append(bytes(16_384));
  for (let change = random.between(1, 6); change > 0; change -= 1) {
    const journal = `${path}-journal`;
    disk.append(journal, bytes(random.between(512, 4_096)));
    yield random.between(1, 200);
    database.write(random.between(0, 3) * 4_096, bytes(4_096));
    if (random.chance(0.5)) database.append(bytes(4_096));
    if (disk.has(journal)) disk.unlink(journal);
    yield random.between(100, 45_000);
  }
  database.close();
};
