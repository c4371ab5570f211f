import { describe, expect, it } from "vitest";
import { isMappingOf, sharedWritable, type Mapping } from "./proc-maps.ts";

const MAPS = `7f10a000-7f10b000 rw-s 00000000 fe:00 1196061                    /rec/a b.wav
7f10b000-7f10c000 rw-p 00000000 fe:00 1196062                    /rec/private.wav
7f10c000-7f10d000 r--s 00000000 fe:00 1196063                    /rec/read.wav
7f10d000-7f10e000 -w-s 00001000 00:2f 77                         /rec/with\\012feed (deleted)
7f10e000-7f10f000 rw-p 00000000 00:00 0                          [heap]
7f10f000-7f110000 rw-s 00000000 00:01 3072                       /memfd:buffer (deleted)
ffffffff600000-ffffffff601000 --xp 00000000 00:00 0              [vsyscall]
`;

describe("D3a: of a process's mappings", () => {
  it("those that are shared and writable are found, whatever their names hold", () => {
    expect(sharedWritable(MAPS)).toEqual([
      { inode: "1196061", device: "fe:00", path: "/rec/a b.wav" },
      { inode: "77", device: "00:2f", path: "/rec/with\\012feed (deleted)" },
      { inode: "3072", device: "00:01", path: "/memfd:buffer (deleted)" },
    ]);
  });

  it("none are found in a list without them", () => {
    expect(sharedWritable(MAPS.replaceAll(" rw-s ", " r--s ").replaceAll(" -w-s ", " ---p "))).toEqual([]);
  });
});

describe("D3a: a mapping is of a file", () => {
  const mapping: Mapping = { inode: "77", device: "fe:00", path: "/rec/a.wav" };
  /** st_dev of fe:00, of 08:01 and of the anonymous 00:2f. */
  const [VDA, SDA1, ANONYMOUS] = ["65024", "2049", "47"];

  it.each<[string, Mapping, { inode: string; device: string }, string, boolean]>([
    [
      "with its inode and device, whatever it is called now",
      mapping,
      { inode: "77", device: VDA },
      "b",
      true,
    ],
    ["not with another inode", mapping, { inode: "78", device: VDA }, "a.wav", false],
    ["not with the same inode of another disk", mapping, { inode: "77", device: SDA1 }, "a.wav", false],
    ["of btrfs or overlay by inode and name", mapping, { inode: "77", device: ANONYMOUS }, "a.wav", true],
    ["of btrfs or overlay not by its inode alone", mapping, { inode: "77", device: ANONYMOUS }, "b", false],
    [
      "of a name with a line feed too",
      { ...mapping, path: "/rec/a\\012b" },
      { inode: "77", device: ANONYMOUS },
      "a\nb",
      true,
    ],
    [
      "with device numbers of more than two digits",
      { ...mapping, device: "103:10005" },
      { inode: "77", device: "268501765" },
      "b",
      true,
    ],
  ])("%s", (_case, one, file, name, is) => {
    expect(isMappingOf(one, file, name)).toBe(is);
  });
});
