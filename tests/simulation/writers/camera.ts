import type { Writer } from "./writer.ts";

/** Records while something moves: pauses longer than the idle time, then the same file goes on. */
export const camera: Writer = function* ({ name, open, bytes, random }) {
  for (let motion = random.between(1, 4); motion > 0; motion -= 1) {
    const file = open(`${name}.ts`);
    for (let piece = random.between(1, 4); piece > 0; piece -= 1) {
      file.append(bytes(random.between(500, 30_000)));
      yield random.between(100, 1_500);
    }
    file.close();
    yield random.between(5_000, 70_000);
  }
};
