/** What the endpoint remembers of objects whose bytes it discarded: names, sizes, checksums, metadata, open uploads. */
import { combineAll } from "@sluice/core";

export interface Part {
  bytes: number;
  etag: string;
  /** Base64, as it was sent. */
  crc32: string | undefined;
}

export interface Upload {
  id: string;
  key: string;
  headers: Record<string, string>;
  parts: Map<number, Part>;
  initiated: string;
}

export interface Stored {
  bytes: number;
  etag: string;
  crc32: string | undefined;
  headers: Record<string, string>;
}

export class DiscardBucket {
  readonly objects = new Map<string, Stored>();
  readonly uploads = new Map<string, Upload>();
  /** Upload id → ETag of its object, because Complete may be repeated. */
  readonly completed = new Map<string, string>();
  #counter = 0;

  newUpload(key: string, headers: Record<string, string>): Upload {
    const id = `upload-${(this.#counter += 1)}`;
    const upload: Upload = { id, key, headers, parts: new Map(), initiated: new Date().toISOString() };
    this.uploads.set(id, upload);
    return upload;
  }

  /** An opaque ETag: the bytes are not kept, and an MD5 would cost more than the rest. */
  etag(parts?: number): string {
    const text = (this.#counter += 1).toString(16).padStart(32, "0");
    return parts === undefined ? `"${text}"` : `"${text}-${parts}"`;
  }

  /** CRC32 of the whole object from those of its parts; undefined if a part has none. */
  wholeCrc(upload: Upload): string | undefined {
    const ordered = [...upload.parts].sort(([a], [b]) => a - b).map(([, part]) => part);
    if (ordered.some((part) => part.crc32 === undefined)) return undefined;
    const crc = combineAll(
      ordered.map(({ crc32, bytes }) => ({
        crc: Buffer.from(crc32 ?? "", "base64").readUInt32BE(),
        bytes,
      })),
    );
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(crc);
    return bytes.toString("base64");
  }
}
