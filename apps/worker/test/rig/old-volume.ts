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
