import type { Writer } from "./writer.ts";

/** Several parts, written in large pieces; now and then a marker says that it is complete. */
export const bigRecording: Writer = function* ({ name, disk, open, bytes, random }) {
  const path = `${name}.wav`;
  const file = open(path);
  for (let piece = random.between(2, 5); piece > 0; piece -= 1) {
    file.append(bytes(random.between(10_000, 50_000)));
    yield random.between(500, 12_000);
  }
  if (random.chance(0.5)) file.write(4, bytes(40));
  file.close();
  if (!random.chance(0.4)) return;
  yield random.between(1, 3_000);
  disk.append(`${path}.done`, new Uint8Array());
};
