/** How bytes are proven on the way to the store: which headers a body carries, by what its upload was created with. */
import { createHash } from "node:crypto";
import { ChecksumAlgorithm } from "@aws-sdk/client-s3";
import { type ChecksumMode, crc32ToBase64, type PartBody } from "@sluice/core";

/** What an upload was created with, which its parts and its Complete must repeat. */
export type UploadChecksum =
  | { kind: "crc32"; type: "FULL_OBJECT" | "COMPOSITE" }
  /** Created by another program, with an algorithm of its own. */
  | { kind: "other"; algorithm: ChecksumAlgorithm }
  | { kind: "none" };

const NONE: UploadChecksum = { kind: "none" };
/** Open uploads remembered; the oldest is forgotten first and learnt again from ListParts. */
const REMEMBERED_UPLOADS = 20_000;

export class UploadChecksums {
  readonly #known = new Map<string, UploadChecksum>();
  readonly #byMode: UploadChecksum;

  constructor(mode: ChecksumMode) {
    this.#byMode =
      mode === "full-object"
        ? { kind: "crc32", type: "FULL_OBJECT" }
        : mode === "per-part"
          ? { kind: "crc32", type: "COMPOSITE" }
          : NONE;
  }

  /** What an upload of ours is created with. */
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

  /** From a page of ListParts. A store that does not name the algorithm leaves what is known as it is. */
  learnListed(uploadId: string, algorithm: string | undefined, type: string | undefined): void {
    if (algorithm === undefined) return;
    if (algorithm !== "CRC32" && isAlgorithm(algorithm)) this.learn(uploadId, { kind: "other", algorithm });
    else if (algorithm === "CRC32")
      this.learn(uploadId, { kind: "crc32", type: type === "FULL_OBJECT" ? "FULL_OBJECT" : "COMPOSITE" });
  }

  /** The store refused a part for its checksum's kind: it is tried the other way, with ours or without any. */
  contradicted(uploadId: string): void {
    this.learn(uploadId, this.of(uploadId).kind === "none" ? this.#byMode : NONE);
  }

  forget(uploadId: string): void {
    this.#known.delete(uploadId);
  }
}

function isAlgorithm(name: string): name is ChecksumAlgorithm {
  return Object.hasOwn(ChecksumAlgorithm, name);
}

export interface BodyDigests {
  /** Base64; sent as x-amz-checksum-crc32. */
  ChecksumCRC32?: string;
  /** Base64. */
  ContentMD5?: string;
  /** Hex, known when ContentMD5 is. */
  md5?: string;
}

export function crcOnly(crc: number): BodyDigests {
  return { ChecksumCRC32: crc32ToBase64(crc) };
}

export async function md5Only(body: PartBody): Promise<BodyDigests> {
  const digest = await digestOf(body, "md5");
  return { ContentMD5: digest.toString("base64"), md5: digest.toString("hex") };
}

/** Reads a range once more where the body is not in memory. */
export async function digestOf(body: PartBody, algorithm: "md5" | "sha256"): Promise<Buffer> {
  const hash = createHash(algorithm);
  if (body.kind === "bytes") hash.update(body.bytes);
  else for await (const chunk of body.open()) hash.update(chunk);
  return hash.digest();
}
