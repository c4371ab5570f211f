/** Reads the bytes of a part from the local file, and compares them with S3: the only way to do either. */
import { crc32ToBase64 } from "./crc32.ts";
import type { Digests } from "../ports/digests.ts";
import type { OpenFile } from "../ports/file-source.ts";
import type { ListedPart, StoreProfile } from "../ports/object-store.ts";
import { openToRead } from "./open-file.ts";
import type { ObjectContext } from "./context.ts";

/** CRC32 of a range of an open file; undefined if the file ends before it. */
export async function rangeCrc(
  file: OpenFile,
  range: { offset: number; bytes: number },
  buffer: Uint8Array,
  digests: Digests,
  onChunk?: (chunk: Uint8Array) => void,
): Promise<number | undefined> {
  let crc = 0;
  for (let done = 0; done < range.bytes;) {
    const chunk = buffer.subarray(0, Math.min(buffer.length, range.bytes - done));
    const got = await file.read(chunk, range.offset + done);
    if (got < chunk.length) return undefined;
    crc = digests.crc32(chunk, crc);
    onChunk?.(chunk);
    done += got;
  }
  return crc;
}

/**
 * CRC32 and MD5 ("" unless wanted) of a range of the local file, read with a slot of the verify lane; undefined if the
 * file does not have the range.
 */
export async function readDigests(
  context: ObjectContext,
  offset: number,
  bytes: number,
  withMd5 = true,
  onChunk?: (chunk: Uint8Array) => void,
): Promise<{ crc: number; md5: string } | undefined> {
  const { deps, held, signal } = context;
  const slot = await deps.verifyLane.enter(held.record.id, signal);
  try {
    await using file = await openToRead(held.record.original_path, deps);
    if (!file) return undefined;
    const md5 = withMd5 ? deps.digests.md5() : undefined;
    const range = { offset, bytes };
    const crc = await rangeCrc(file, range, slot.buffer, deps.digests, (chunk) => {
      md5?.update(chunk);
      onChunk?.(chunk);
    });
    return crc === undefined ? undefined : { crc, md5: md5?.hex() ?? "" };
  } finally {
    slot.release();
  }
}

/** Whether a listed part is known to have these bytes: by its CRC32, else by an ETag that is an MD5. */
export function holdsBytes(
  listed: Pick<ListedPart, "ETag" | "ChecksumCRC32">,
  crc: number,
  md5: string,
  profile: Pick<StoreProfile, "etagIsMd5">,
): boolean {
  if (listed.ChecksumCRC32 !== undefined) return listed.ChecksumCRC32 === crc32ToBase64(crc);
  return profile.etagIsMd5 && listed.ETag === md5;
}

/** Whether the listing proves anything about the bytes. */
export function tellsBytes(
  listed: Pick<ListedPart, "ChecksumCRC32">,
  profile: Pick<StoreProfile, "etagIsMd5">,
): boolean {
  return listed.ChecksumCRC32 !== undefined || profile.etagIsMd5;
}

export function md5Hex(bytes: Uint8Array, digests: Digests): string {
  const md5 = digests.md5();
  md5.update(bytes);
  return md5.hex();
}
