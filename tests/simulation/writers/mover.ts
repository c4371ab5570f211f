import type { Writer } from "./writer.ts";

/** Writes a file, then renames it, swaps it with another, or removes it, at any time of its life. */
export const mover: Writer = function* ({ name, disk, bytes, random }) {
  const [a, b] = [`${name}-a.dat`, `${name}-b.dat`];
  for (const path of [a, b]) {
    disk.append(path, bytes(random.between(0, 20_000)));
    yield random.between(10, 20_000);
  }
  for (let move = random.between(1, 3); move > 0; move -= 1) {
    yield random.between(100, 60_000);
    const kind = random.pick(["rename", "swap", "grow", "remove"]);
    if (kind === "grow" && disk.has(b)) disk.append(b, bytes(random.between(1, 9_000)));
    if (kind === "rename" && disk.has(a)) disk.rename(a, `${name}-c${move}.dat`);
    if (kind === "remove" && disk.has(b)) disk.unlink(b);
    if (kind === "swap" && disk.has(a) && disk.has(b)) {
      disk.rename(a, `${name}.swap`);
      disk.rename(b, a);
      disk.rename(`${name}.swap`, b);
    }
  }
};
