import type { Writer } from "./writer.ts";

/** HLS: segments come and the oldest go; a playlist is saved anew for each. */
export const playlist: Writer = function* ({ name, disk, bytes, random }) {
  const kept = random.between(1, 3);
  for (let segment = 0; segment < random.between(3, 6); segment += 1) {
    disk.append(`${name}-${segment}.m4s`, bytes(random.between(1_000, 50_000)));
    const oldest = `${name}-${segment - kept}.m4s`;
    if (disk.has(oldest)) disk.unlink(oldest);
    disk.append(`${name}.m3u8.tmp`, bytes(random.between(100, 400)));
    disk.rename(`${name}.m3u8.tmp`, `${name}.m3u8`);
    yield random.between(2_000, 20_000);
  }
};
