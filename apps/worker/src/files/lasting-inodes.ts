/**
 * On which volumes inode numbers are stable. FUSE, FAT, exFAT and the shared folders of virtual machines assign new
 * numbers by order of access or after every mount: there a number proves nothing, whatever the birth time says.
 */
import { readProc } from "./read-proc.ts";

/** /proc/self/mountinfo: the type after the dash. */
const UNSTABLE_INODES =
  /^(?:fuse(?:blk|ctl)?(?:\..*)?|virtiofs|v?fat|msdos|umsdos|exfat|vboxsf|vmhgfs|prl_fs)$/;
const SMB = /^(?:cifs|smb3?|smbfs)$/;

/** Device numbers change with mounts, so the list is read again after this time. */
const BELIEVED_MS = 10_000;

export class LastingInodes {
  readonly #mounts: () => string;
  readonly #nowMs: () => number;
  #unstable: ReadonlySet<bigint> = new Set();
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    mounts: () => string = () => readProc("/proc/self/mountinfo"),
    nowMs: () => number = () => performance.now(),
  ) {
    this.#mounts = mounts;
    this.#nowMs = nowMs;
  }

  /**
   * `device`: st_dev. A device that no mount lists (btrfs has a number for each subvolume) is taken to be an ordinary
   * one.
   */
  lastOn(device: bigint): boolean {
    const nowMs = this.#nowMs();
    if (nowMs - this.#readAtMs > BELIEVED_MS) {
      this.#unstable = devicesWithUnstableInodes(this.#mounts());
      this.#readAtMs = nowMs;
    }
    return !this.#unstable.has(device);
  }
}

/** Lines of mountinfo: `id parent major:minor root mount-point options… - type source super-options`. */
export function devicesWithUnstableInodes(mounts: string): Set<bigint> {
  const devices = new Set<bigint>();
  for (const line of mounts.split("\n")) {
    const fields = line.split(" ");
    const dash = fields.indexOf("-", 6);
    const type = fields[dash + 1] ?? "";
    const ownNumbers = SMB.test(type) && (fields[dash + 3] ?? "").split(",").includes("noserverino");
    const [major, minor] = (fields[2] ?? "").split(":").map(BigInt);
    if ((!ownNumbers && !UNSTABLE_INODES.test(type)) || major === undefined || minor === undefined) continue;
    devices.add(deviceNumber(major, minor));
  }
  return devices;
}

/** As stat shows it: glibc's makedev. */
function deviceNumber(major: bigint, minor: bigint): bigint {
  const high = ((major & ~0xfffn) << 32n) | ((minor & ~0xffn) << 12n);
  return high | ((major & 0xfffn) << 8n) | (minor & 0xffn);
}
