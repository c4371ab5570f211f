/**
 * File systems that do not report changes made elsewhere: on another machine, outside a virtual machine, or in the
 * layer below. A watch on one of them, or with one mounted inside it, relies on the rescan alone.
 */
import { readFile, statfs } from "node:fs/promises";
import { decodePath } from "@sluice/core";
import { isUnder, pathBuffer } from "../path-buffer.ts";
import { isMissing, systemError } from "../system-error.ts";

/** From statfs(2): f_type. */
const SILENT_BY_MAGIC: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x65735546, "FUSE"],
  [0x01021997, "9p"],
  [0x794c7630, "overlay"],
  [0x00c36400, "Ceph"],
  [0x5346414f, "AFS"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
  [0x19830326, "BeeGFS"],
  [0x786f4256, "VirtualBox"],
]);

/** From /proc/self/mountinfo: the type after the dash. */
const SILENT_BY_NAME =
  /^(?:nfs4?|smb3?|cifs|smbfs|fuse(?:blk)?(?:\..*)?|9p|overlay|ceph|afs|lustre|gpfs|beegfs.*|glusterfs|virtiofs|vboxsf|vmhgfs)$/;

/** Of those, the ones other hosts may write at the same time. FUSE and overlay are layers of this host. */
const LOCAL_LAYERS: ReadonlySet<string> = new Set(["FUSE", "overlay"]);

/** Why a writer on another host cannot be seen, as a whole sentence; undefined for a file system of this host. */
export async function unseenHosts(directory: string): Promise<string | undefined> {
  return judgeHosts(await magicOf(directory));
}

export function judgeHosts(magic: number | undefined): string | undefined {
  const name = magic === undefined ? undefined : SILENT_BY_MAGIC.get(magic);
  if (name === undefined || LOCAL_LAYERS.has(name)) return undefined;
  return `The file is on ${name}: it is not visible whether another host still writes it.`;
}

/** Why events cannot be relied on below this directory; undefined when they can. */
export async function silentFileSystem(root: string): Promise<string | undefined> {
  const own = await magicOf(root);
  const name = own === undefined ? undefined : SILENT_BY_MAGIC.get(own);
  if (name !== undefined) return `${name} does not report changes made elsewhere`;
  const nested = silentMountBelow(root, await mountInfo());
  return (
    nested && `${nested.path}, inside it, is ${nested.type}, which does not report changes made elsewhere`
  );
}

/** Lines of mountinfo: `id parent major:minor root mount-point options… - type source options`. */
export function silentMountBelow(root: string, mounts: string): { path: string; type: string } | undefined {
  for (const line of mounts.split("\n")) {
    const fields = line.split(" ");
    const type = fields[fields.indexOf("-", 6) + 1] ?? "";
    const path = unescapeOctal(fields[4] ?? "");
    if (path !== root && isUnder(root, path) && SILENT_BY_NAME.test(type)) return { path, type };
  }
  return undefined;
}

/** Space, tab, line feed and backslash are written as \040 and so on. `mounts` was read byte by byte. */
function unescapeOctal(field: string): string {
  const bytes = field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return decodePath(Buffer.from(bytes, "latin1"));
}

/** Undefined if statfs fails: the file system is then taken to be an ordinary one. */
async function magicOf(path: string): Promise<number | undefined> {
  try {
    return (await statfs(pathBuffer(path))).type;
  } catch (error) {
    systemError(error);
    return undefined;
  }
}

async function mountInfo(): Promise<string> {
  try {
    return await readFile("/proc/self/mountinfo", "latin1");
  } catch (error) {
    if (!isMissing(error)) throw error;
    return "";
  }
}
