/** What holds this worker up is not the writer's pause: a file is complete as soon as it would have been without. */
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startRig } from "./rig.ts";

const IDLE_MS = 2_000;
const WRITE_EVERY_MS = 200;
/** Long enough to be three times the idle time and more, if it were counted. */
const WRITES_MEANWHILE = 30;

it("D8g: a frozen worker and a hung Redis are no pauses of the writer", { timeout: 180_000 }, async () => {
  await using rig = await startRig({ env: { SLUICE_IDLE_TIMEOUT: `${IDLE_MS}ms`, SLUICE_IDLE_MAX: "10m" } });
  const worker = await rig.start();
  const path = join(rig.root, "steady.log");
  writeFileSync(path, "");
  let [writes, last, longest] = [0, performance.now(), 0];
  const writer = setInterval(() => {
    appendFileSync(path, "a line\n");
    const now = performance.now();
    longest = Math.max(longest, now - last);
    [writes, last] = [writes + 1, now];
  }, WRITE_EVERY_MS);
  const more = async (count: number): Promise<void> => {
    const until = writes + count;
    await rig.until(`${count} more writes`, () => writes >= until);
  };
  try {
    await rig.live(path, ({ file_size: size }) => Number(size) > 0);
    worker.signal("SIGSTOP");
    await more(WRITES_MEANWHILE);
    worker.signal("SIGCONT");
    await more(10);
    rig.redis.freeze();
    await more(WRITES_MEANWHILE);
    rig.redis.thaw();
    await more(10);
  } finally {
    clearInterval(writer);
    worker.signal("SIGCONT");
    rig.redis.thaw();
  }
  const done = await rig.completed(path);
  // The writer is this process, which may be held up itself; between two looks that are in time nothing is known.
  expect(Number(done["longest_pause_ms"])).toBeLessThan(longest + IDLE_MS + 1_500);
});
