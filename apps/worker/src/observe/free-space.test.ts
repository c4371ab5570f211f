import { ManualClock } from "@sluice/core/testing";
import { expect, it } from "vitest";
import type { DiskSpace } from "../files/disk-space.ts";
import { FreeSpace, LOOK_AT_SPACE_MS } from "./free-space.ts";

const GIB = 1024 ** 3;
const DISK: DiskSpace = { freeBytes: 50 * GIB, totalBytes: 100 * GIB, device: "1" };

/** The disks of some watches, by root; what the log says is kept. */
function looking(names: readonly string[]) {
  const clock = new ManualClock();
  const said: string[] = [];
  const log = {
    info: (_: object, text: string) => void said.push(text),
    warn: (_: object, text: string) => void said.push(text),
  };
  const watches = names.map((name) => ({ watch: { name, root: `/${name}` }, state: { state: "ok" } }));
  const disks = new Map<string, DiskSpace | undefined | "hangs">(names.map((name) => [`/${name}`, DISK]));
  const asked: string[] = [];
  const hanging: (() => void)[] = [];
  const space = new FreeSpace({
    watches,
    diskSpace: async (root) => {
      asked.push(root);
      const disk = disks.get(root);
      if (disk !== "hangs") return disk;
      await new Promise<void>((resolve) => hanging.push(resolve));
      return DISK;
    },
    warning: { percent: 10, ms: 6 * 3_600_000 },
    clock,
    log,
  });
  const look = async (): Promise<void> => {
    const done = space.look();
    // A call that hangs is left behind.
    for (let at = 0; at < 3; at += 1) await clock.advance(2_000);
    await done;
  };
  return { clock, said, watches, disks, asked, hanging, space, look };
}

it("a disk that fills is warned of once, since when, and so is that it has room again", async () => {
  const { clock, disks, space, look, said } = looking(["rec"]);
  await look();
  expect(space.known).toEqual([{ watch: "rec", free_bytes: 50 * GIB, total_bytes: 100 * GIB }]);
  disks.set("/rec", { ...DISK, freeBytes: 9 * GIB });
  const before = clock.wallMs();
  await look();
  const [first] = space.known;
  expect(Date.parse(first?.filling_since_utc ?? "")).toBeGreaterThanOrEqual(before);
  await look();
  expect(space.known[0]?.filling_since_utc).toBe(first?.filling_since_utc);
  disks.set("/rec", { ...DISK, freeBytes: 12 * GIB });
  await look();
  expect(space.known[0]).not.toHaveProperty("filling_since_utc");
  expect(said).toEqual([
    "the disk of a watch fills: 9.0 GiB of 100 GiB are free; a writer fails when it is full",
    "the disk of a watch has room again: 12.0 GiB of 100 GiB are free",
  ]);
});

it("says when a disk is full at its rate; another disk at the same place begins anew", async () => {
  const { disks, space, look } = looking(["rec"]);
  for (let at = 0; at <= 30; at += 1) {
    disks.set("/rec", { ...DISK, freeBytes: 50 * GIB - at * 10 * 1024 * 1024 });
    await look();
  }
  const [filling] = space.known;
  // 10 MiB in each of 6 s.
  expect(filling?.full_in_ms).toBeGreaterThan(8 * 3_600_000);
  expect(filling?.full_in_ms).toBeLessThan(9 * 3_600_000);
  disks.set("/rec", { ...DISK, device: "2" });
  await look();
  expect(space.known[0]).not.toHaveProperty("full_in_ms");
});

it("a disk that hangs is unknown, is asked again only once it has answered, and holds up no other", async () => {
  const { disks, space, asked, hanging, look } = looking(["nfs", "rec"]);
  await look();
  disks.set("/nfs", "hangs");
  for (let at = 0; at < 5; at += 1) await look();
  expect(space.known.map(({ watch }) => watch)).toEqual(["rec"]);
  expect(asked.filter((root) => root === "/nfs")).toHaveLength(2);
  disks.set("/nfs", DISK);
  for (const answer of hanging) answer();
  await look();
  await look();
  expect(space.known.map(({ watch }) => watch)).toEqual(["nfs", "rec"]);
});

it("while two disks hang, no further one is asked: files are read by the same few threads", async () => {
  const { disks, asked, look } = looking(["a", "b", "c"]);
  for (const root of ["/a", "/b", "/c"]) disks.set(root, "hangs");
  for (let at = 0; at < 3; at += 1) await look();
  expect(asked).toEqual(["/a", "/b"]);
});

it("what a missing volume leaves is not its disk; what is not known is left out", async () => {
  const { disks, watches, space, look } = looking(["rec", "odd"]);
  disks.set("/odd", undefined);
  await look();
  expect(space.known.map(({ watch }) => watch)).toEqual(["rec"]);
  const [rec] = watches;
  if (rec) rec.state.state = "offline";
  await look();
  expect(space.known).toEqual([]);
});

it("figures that nobody renewed are not known any longer", async () => {
  const { clock, space, look } = looking(["rec"]);
  await look();
  await clock.advance(4 * LOOK_AT_SPACE_MS);
  expect(space.known).toEqual([]);
});
