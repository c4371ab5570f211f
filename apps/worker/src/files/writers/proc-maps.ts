/**
 * Shared writable mappings in /proc/<pid>/maps. A process may map a file, close its descriptor and keep writing: it is
 * still a writer, although the file's times may not change until the kernel writes the pages back.
 */

export interface Mapping {
  inode: string;
  /** As the kernel prints it, `major:minor` in hex. */
  device: string;
  /** Byte by byte (latin1), as the mapping process sees it. */
  path: string;
}

/** `address perms offset major:minor inode path`; a private mapping (`p`) never changes its file. */
const LINE = /^[0-9a-f]+-[0-9a-f]+ .w.s [0-9a-f]+ ([0-9a-f]+:[0-9a-f]+) (\d+) +(\/.*)$/gm;

/** `maps` was read byte by byte. */
export function sharedWritable(maps: string): Mapping[] {
  // Most processes have none, and some have very long lists.
  if (!/ .w.s /.test(maps)) return [];
  return [...maps.matchAll(LINE)].map(([, device = "", inode = "", path = ""]) => ({ inode, device, path }));
}

/**
 * Whether a mapping is of this file. The device in maps is that of the file system's superblock; the device from stat
 * differs on btrfs (a number for each subvolume) and on overlay (the upper layer's own). If one of the two is such an
 * anonymous number (major 0), inode and name decide: at worst a file waits for a process that writes another file.
 * `name`: of the file, without its directory, byte by byte.
 */
export function isMappingOf(
  mapping: Mapping,
  file: { inode: string; device: string },
  name: string,
): boolean {
  if (mapping.inode !== file.inode) return false;
  const seen = deviceNumbers(BigInt(file.device));
  const [major = "", minor = ""] = mapping.device.split(":");
  const mapped = { major: BigInt(`0x${major}`), minor: BigInt(`0x${minor}`) };
  if (mapped.major === seen.major && mapped.minor === seen.minor) return true;
  if (mapped.major !== 0n && seen.major !== 0n) return false;
  return baseName(mapping.path) === escaped(name);
}

/** As glibc's makedev packs them into st_dev. */
function deviceNumbers(device: bigint): { major: bigint; minor: bigint } {
  return {
    major: ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n),
    minor: (device & 0xffn) | ((device >> 12n) & 0xffffff00n),
  };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The kernel escapes only line feeds. */
function escaped(name: string): string {
  return name.replaceAll("\n", String.raw`\012`);
}
