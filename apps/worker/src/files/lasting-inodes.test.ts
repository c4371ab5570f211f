import { describe, expect, it } from "vitest";
import { LastingInodes } from "./lasting-inodes.ts";

const MOUNTS = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw
30 22 0:52 / /mnt/remote rw shared:2 - fuse.sshfs box:/in rw
31 22 8:17 / /media/card rw,nosuid shared:3 - exfat /dev/sdb1 rw,fmask=0022
32 22 259:300 / /media/stick rw - vfat /dev/nvme rw
33 22 0:60 / /mnt/share rw - cifs //nas/in rw,vers=3.0,serverino
34 22 0:61 / /mnt/other rw - cifs //nas/out rw,vers=3.0,noserverino
35 22 0:62 / /mnt/nfs rw - nfs4 nas:/x rw
`;

describe("D1b: inode numbers", () => {
  const inodes = new LastingInodes(
    () => MOUNTS,
    () => 0,
  );

  it.each([
    ["ext4", 0x801n, true],
    ["FUSE", 52n, false],
    ["exFAT", 0x811n, false],
    ["FAT, with a minor number over 255", (259n << 8n) | (1n << 20n) | 44n, false],
    ["SMB with the server's numbers", 60n, true],
    ["SMB with numbers of the client's own", 61n, false],
    ["NFS", 62n, true],
    ["a device that no mount names, as a btrfs subvolume has", 999n, true],
  ])("on %s last: %s → %s", (_name, device, last) => {
    expect(inodes.lastOn(device)).toBe(last);
  });

  it("are asked for again after a while: a device number is given to another file system", () => {
    let nowMs = 0;
    let mounts = MOUNTS;
    const changing = new LastingInodes(
      () => mounts,
      () => nowMs,
    );
    expect(changing.lastOn(52n)).toBe(false);
    mounts = MOUNTS.replace("fuse.sshfs", "tmpfs");
    nowMs = 60_000;
    expect(changing.lastOn(52n)).toBe(true);
  });
});
