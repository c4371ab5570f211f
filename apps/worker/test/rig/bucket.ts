/** The bucket as any other program sees it: raw requests signed by a third party's signer, no code of the worker. */
import { S3Client, tag, tags, type Answer } from "../../../../packages/local-s3/test/s3-client.ts";

export interface BucketTarget {
  endpoint: string;
  /** Default: us-east-1. */
  region?: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
}

export interface OpenUpload {
  key: string;
  uploadId: string;
}

const CHUNK = 32 * 1024 * 1024;

export class Bucket {
  readonly #client: S3Client;

  constructor(target: BucketTarget) {
    this.#client = new S3Client({ region: "us-east-1", ...target });
  }

  async head(key: string): Promise<Answer> {
    return await this.#client.call({ method: "HEAD", key });
  }

  async text(key: string): Promise<string> {
    const answer = await this.#client.call({ method: "GET", key });
    if (answer.status !== 200) throw new Error(`GET ${key}: ${answer.status} ${answer.code}`);
    return answer.text;
  }

  /** As one answer: one object, whole. */
  async bytes(key: string): Promise<Buffer> {
    const answer = await this.#client.call({ method: "GET", key });
    if (answer.status !== 200) throw new Error(`GET ${key}: ${answer.status} ${answer.code}`);
    return answer.bytes;
  }

  /** The object's bytes in order, in pieces that fit into memory. */
  async *read(key: string, size: number): AsyncGenerator<Buffer> {
    for (let at = 0; at < size; at += CHUNK) {
      const last = Math.min(size, at + CHUNK) - 1;
      const answer = await this.#client.call({
        method: "GET",
        key,
        headers: { range: `bytes=${at}-${last}` },
      });
      // 200 is an honest answer to a range that is the whole object.
      const isWhole = at === 0 && last === size - 1;
      if (answer.status !== 206 && !(isWhole && answer.status === 200))
        throw new Error(`GET ${key} from ${at}: ${answer.status} ${answer.code}`);
      yield answer.bytes;
    }
  }

  /** The bucket itself, where it is missing. */
  async create(): Promise<void> {
    const answer = await this.#client.call({ method: "PUT" });
    if (answer.status !== 200) throw new Error(`PUT bucket: ${answer.status} ${answer.code}`);
  }

  /** Empty already. */
  async removeBucket(): Promise<void> {
    const answer = await this.#client.call({ method: "DELETE" });
    if (answer.status !== 204) throw new Error(`DELETE bucket: ${answer.status} ${answer.code}`);
  }

  async put(key: string, body: string | Buffer): Promise<void> {
    const answer = await this.#client.call({ method: "PUT", key, body });
    if (answer.status !== 200) throw new Error(`PUT ${key}: ${answer.status} ${answer.code}`);
  }

  async createUpload(key: string): Promise<string> {
    const answer = await this.#client.call({ method: "POST", key, query: { uploads: "" } });
    const id = tag(answer.text, "UploadId");
    if (id === undefined) throw new Error(`POST ${key}: ${answer.status} ${answer.code}`);
    return id;
  }

  /** The part's ETag, in its quotes. */
  async uploadPart(key: string, uploadId: string, partNumber: number, body: Buffer): Promise<string> {
    const query = { partNumber: String(partNumber), uploadId };
    const answer = await this.#client.call({ method: "PUT", key, query, body });
    const etag = answer.headers["etag"];
    if (answer.status !== 200 || !etag) throw new Error(`PUT ${key}: ${answer.status} ${answer.code}`);
    return etag;
  }

  async completeUpload(key: string, uploadId: string, etags: readonly string[]): Promise<void> {
    const parts = etags.map(
      (etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
    const answer = await this.#client.call({ method: "POST", key, query: { uploadId }, body });
    if (answer.status !== 200) throw new Error(`POST ${key}: ${answer.status} ${answer.code}`);
  }

  async remove(key: string): Promise<void> {
    await this.#client.call({ method: "DELETE", key });
  }

  async abort(key: string, uploadId: string): Promise<void> {
    const answer = await this.#client.call({ method: "DELETE", key, query: { uploadId } });
    if (answer.status !== 204) throw new Error(`abort of ${key}: ${answer.status} ${answer.code}`);
  }

  async keys(prefix = ""): Promise<string[]> {
    const found: string[] = [];
    for (let token: string | undefined; ;) {
      const query = {
        "list-type": "2",
        "encoding-type": "url",
        prefix,
        ...(token ? { "continuation-token": token } : {}),
      };
      const { text } = await this.#client.call({ method: "GET", query });
      // A store may not know the encoding that was asked for; it says which one it used.
      const isEncoded = tag(text, "EncodingType") === "url";
      found.push(
        ...tags(text, "Key")
          .map(fromXml)
          .map((key) => (isEncoded ? fromUrl(key) : key)),
      );
      token = tags(text, "NextContinuationToken")[0];
      if (token === undefined) return found;
    }
  }

  /** Ids of all versions and delete markers. */
  async versions(prefix: string): Promise<string[]> {
    const { text } = await this.#client.call({ method: "GET", query: { versions: "", prefix } });
    return tags(text, "VersionId");
  }

  /** Up to 1,000: more is a failure anyway. */
  async openUploads(prefix = ""): Promise<OpenUpload[]> {
    const { text } = await this.#client.call({ method: "GET", query: { uploads: "", prefix } });
    const ids = tags(text, "UploadId");
    return tags(text, "Key").map((key, at) => ({ key, uploadId: ids[at] ?? "" }));
  }
}

function fromUrl(key: string): string {
  return decodeURIComponent(key.replaceAll("+", "%20"));
}

function fromXml(key: string): string {
  return key
    .replaceAll(/&#x([0-9a-f]+);/gi, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll("&lt;", "<")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
