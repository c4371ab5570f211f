import { describe, expect, it } from "vitest";
import { judgeHosts, silentFileSystem, silentMountBelow } from "./network-fs.ts";

const MOUNTS = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 22 0:35 / /data rw - ext4 /dev/vdb rw
41 40 0:36 / /data/nas\\040one rw,relatime shared:5 master:2 - nfs4 server:/x rw,vers=4.2
42 40 0:37 / /data/local rw - xfs /dev/vdc rw
43 22 0:38 / /data-2/smb rw - cifs //server/x rw
44 22 0:39 / /fuse rw - fuse.sshfs host: rw
`;

describe("a watch", () => {
  it("F16: with a network file system mounted inside it is told which", () => {
    expect(silentMountBelow("/data", MOUNTS)).toEqual({ path: "/data/nas one", type: "nfs4" });
    expect(silentMountBelow("/", MOUNTS)).toEqual({ path: "/data/nas one", type: "nfs4" });
  });

  it("is not blamed for what is mounted beside it, or for local file systems", () => {
    expect(silentMountBelow("/data/local", MOUNTS)).toBeUndefined();
    expect(silentMountBelow("/fuse", MOUNTS)).toBeUndefined();
    expect(silentMountBelow("/data/na", MOUNTS)).toBeUndefined();
    expect(silentMountBelow("/data", "")).toBeUndefined();
  });

  it("on a directory that is not there has nothing known against it", async () => {
    expect(await silentFileSystem("/does/not/exist")).toBeUndefined();
  });
});

it.each([
  ["ext4", 0xef53, undefined],
  ["FUSE, which this host runs", 0x65735546, undefined],
  ["overlay, which this host stacks", 0x794c7630, undefined],
  ["a file system that cannot be asked", undefined, undefined],
  ["NFS", 0x6969, "The file is on NFS: it is not visible whether another host still writes it."],
  ["SMB", 0xfe534d42, "The file is on SMB: it is not visible whether another host still writes it."],
])("D7b: writers on other hosts are reckoned with on %s as far as there can be any", (_case, magic, said) => {
  expect(judgeHosts(magic)).toBe(said);
});
