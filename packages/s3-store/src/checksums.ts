/**
 * How bytes are verified on the way to the store: which headers a body gets, depending on how its upload was created.
 */
import { createHash } from "node:crypto";
import { type ChecksumMode, crc32ToBase64, type PartBody } from "@sluice/core";

/** The checksum setting with which an upload was created, and which its parts and its Complete must repeat. */
export type UploadChecksum =
  | { kind: "crc32"; type: "FULL_OBJECT" | "COMPOSITE" }
  /** None, or an algorithm of another program. */
  | { kind: "none" };

const NONE: UploadChecksum = { kind: "none" };
const WHOLE: UploadChecksum = { kind: "crc32", type: "FULL_OBJECT" };
const BY_PART: UploadChecksum = { kind: "crc32", type: "COMPOSITE" };
const KINDS: readonly UploadChecksum[] = [WHOLE, BY_PART, NONE];

/** Open uploads remembered; the oldest is dropped first and learned again from ListParts. */
const REMEMBERED_UPLOADS = 20_000;

export class UploadChecksums {
  readonly #known = new Map<string, UploadChecksum>();
  readonly #byMode: UploadChecksum;

  constructor(mode: ChecksumMode) {
    this.#byMode = mode === "full-object" ? WHOLE : mode === "per-part" ? BY_PART : NONE;
  }

  /** The setting with which our uploads are created. */
  get created(): UploadChecksum {
    return this.#byMode;
  }

  of(uploadId: string): UploadChecksum {
    return this.#known.get(uploadId) ?? this.#byMode;
  }

  learn(uploadId: string, checksum: UploadChecksum): void {
    this.#known.delete(uploadId);
    this.#known.set(uploadId, checksum);
    if (this.#known.size <= REMEMBERED_UPLOADS) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      break;
    }
  }

  /** From a page of ListParts. If a store does not name the algorithm, what is known stays. */
  learnListed(uploadId: string, algorithm: string | undefined, type: string | undefined): void {
    if (algorithm === undefined) return;
    const ours = type === "FULL_OBJECT" ? WHOLE : BY_PART;
    this.learn(uploadId, algorithm === "CRC32" ? ours : NONE);
  }

  /** The store refused a request because of the kind of its checksum: the next attempt tries the next kind. */
  contradicted(uploadId: string): void {
    const at = KINDS.indexOf(this.of(uploadId));
    this.learn(uploadId, KINDS[(at + 1) % KINDS.length] ?? NONE);
  }

  forget(uploadId: string): void {
    this.#known.delete(uploadId);
  }
}

export interface BodyDigests {
  /** Base64; sent as x-amz-checksum-crc32. */
  crc32?: string;
  /** Base64; sent as content-md5. */
  md5?: string;
}

/** The digest of a body: its CRC32, its MD5 or nothing. */
export async function digestsOf(
  body: PartBody,
  crc: number,
  by: "crc32" | "md5" | "nothing",
): Promise<BodyDigests> {
  if (by === "nothing") return {};
  if (by === "crc32") return { crc32: crc32ToBase64(crc) };
  return { md5: (await digestOf(body, "md5")).toString("base64") };
}

export function digestHeaders({ crc32, md5 }: BodyDigests): Record<string, string> {
  return {
    ...(crc32 !== undefined && { "x-amz-checksum-crc32": crc32 }),
    ...(md5 !== undefined && { "content-md5": md5 }),
  };
}

/** Reads a range once more if the body is not in memory. */
export async function digestOf(body: PartBody, algorithm: "md5" | "sha256"): Promise<Buffer> {
  const hash = createHash(algorithm);
  if (body.kind === "bytes") hash.update(body.bytes);
  else for await (const chunk of body.open()) hash.update(chunk);
  return hash.digest();
}
