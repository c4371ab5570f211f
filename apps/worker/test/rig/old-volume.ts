/**
 * A directory whose file system keeps no birth times: ext4 with inodes of 128 bytes, as old cards and disks have it. Where
 * mounting is not permitted the directory stays as it is; what is claimed of such volumes must hold there as well.
 */
import { execFileSync } from "node:child_process";
import { rmSync, truncateSync, writeFileSync } from "node:fs";

export function volumeWithoutBirthTimes(root: string): Disposable {
  const image = `${root}.image`;
  const run = (command: string, ...args: string[]): void => {
    execFileSync(command, args, { stdio: "ignore" });
  };
  try {
    writeFileSync(image, "");
    truncateSync(image, 96 * 1024 * 1024);
    run("mkfs.ext4", "-q", "-F", "-I", "128", image);
    run("mount", "-o", "loop", image, root);
  } catch {
    return { [Symbol.dispose]: () => undefined }; // not permitted here
  }
  return {
    [Symbol.dispose]() {
      run("umount", "-l", root);
      rmSync(image);
    },
  };
}

/**
 * A directory whose file system has no hard links: exFAT or FAT, by the kernel or by FUSE, whichever can be had. Where
 * none can, it stays as it is. Resolves with what it is.
 */
export function volumeWithoutLinks(root: string): Disposable & { readonly is: string } {
  const image = `${root}.image`;
  const run = (command: string, ...args: string[]): string =>
    execFileSync(command, args, { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" }).trim();
  let device: string | undefined;
  const attempts: [is: string, mount: () => void][] = [
    ["exFAT", () => run("mount", "-t", "exfat", device ?? "", root)],
    ["exFAT by FUSE", () => run("mount.exfat-fuse", device ?? "", root)],
    ["FAT", () => (run("mkfs.vfat", device ?? ""), run("mount", "-t", "vfat", device ?? "", root))],
  ];
  const detach = (): void => {
    if (device !== undefined) run("losetup", "-d", device);
    rmSync(image, { force: true });
  };
  try {
    writeFileSync(image, "");
    truncateSync(image, 96 * 1024 * 1024);
    device = run("losetup", "-f", "--show", image);
    run("mkfs.exfat", device);
  } catch {
    detach(); // not permitted here
    return { is: "as it was", [Symbol.dispose]: () => undefined };
  }
  for (const [is, mount] of attempts) {
    try {
      mount();
    } catch {
      continue; // not to be had here
    }
    const unmount = (): void => {
      run("umount", "-l", root);
      detach();
    };
    return { is, [Symbol.dispose]: unmount };
  }
  detach();
  return { is: "as it was", [Symbol.dispose]: () => undefined };
}
