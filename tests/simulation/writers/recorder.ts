import type { Writer } from "./writer.ts";

/** Grows a file by pieces, then rewrites its header, as MP4, WAV and MKV do at the end. */
export const recorder: Writer = function* ({ name, open, bytes, random }) {
  const file = open(`${name}.mp4`);
  file.append(bytes(200));
  const big = random.chance(0.3) ? 40_000 : 6_000;
  for (let piece = random.between(2, 12); piece > 0; piece -= 1) {
    yield random.between(200, 9_000);
    file.append(bytes(random.between(1, big)));
  }
  yield random.between(10, 2_000);
  file.write(0, bytes(64));
  file.close();
};
